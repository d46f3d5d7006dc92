/**
 * Runs a job: its contenders take turns in every round, beginning with another one each time, so that nobody
 * always has the quiet or the busy moment.
 */
import {mkdtemp, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {runOrThrow} from '../test/support/processes.js'
import {compareBucket, compareDirectory, compareTopic, compareTopics} from './compare.js'
import {type InputFiles, makeInput, recordsFor, recordSizes} from './input-files.js'
import type {Contender, Job} from './jobs.js'
import {NotFinished, type Uploader} from './programs/program.js'
import type {Programs} from './programs/programs.js'
import type {ContenderResult, JobResult} from './results.js'
import type {Store} from './store.js'
import type {Topics} from './topics.js'
import type {Usage} from './usage.js'

/** Who wrote the topic that is passed on. */
const RECORDS = 'records'

export interface Bench {
  readonly bootstrap: string
  readonly home: string
  readonly topics: Topics
  readonly store: Store | null
  readonly programs: Programs
  say(line: string): void
}

export async function runJob(bench: Bench, job: Job): Promise<JobResult> {
  const place = await mkdtemp(join(bench.home, `${job.id}-`))
  const written = new Map<string, string>()
  try {
    const contenders = job.contenders(bench.programs)
    const passesOnOnly = contenders.every((contender) => 'relays' in contender)
    const input = passesOnOnly ? recordSizes(job.input) : await makeInput(join(place, 'input'), job.input)
    const runs = new Map<Contender, Usage[]>(contenders.map((contender) => [contender, []]))
    const late = new Map<Contender, NotFinished>()
    for (let round = 0; round < job.rounds; round++)
      for (const contender of rotated(contenders, round)) {
        if (late.has(contender)) continue
        const usage = await runOnce(bench, contender, input, written).catch(orNotFinished)
        if (usage instanceof NotFinished) late.set(contender, usage)
        else runs.get(contender)!.push(usage)
        const took = usage instanceof NotFinished ? usage.message : `${usage.seconds.toFixed(2)} s`
        bench.say(`  ${job.id} ${round + 1}/${job.rounds}: ${programOf(contender).name} ${took}`)
      }
    return {
      ...{id: job.id, title: job.title, unit: job.unit, target: job.target, rssLimitMiB: job.rssLimitMiB},
      ...{files: input.files.length, bytes: input.totalBytes},
      contenders: contenders.map((contender) => ({
        ...describe(contender),
        runs: late.has(contender) ? [] : runs.get(contender)!,
        notFinishedAfterSeconds: late.get(contender)?.afterSeconds ?? null,
      })),
    }
  } finally {
    for (const topic of written.values()) await bench.topics.remove(topic)
    await rm(place, {recursive: true, force: true})
  }
}

async function runOnce(
  bench: Bench,
  contender: Contender,
  input: InputFiles,
  written: Map<string, string>,
): Promise<Usage> {
  if ('sends' in contender) return sendOnce(bench, contender, input)
  if ('relays' in contender) return relayOnce(bench, contender, input, written)
  const topic = await topicWrittenBy(bench, contender.writtenBy, input, written)
  if ('stores' in contender) return storeOnce(bench, contender, input, topic)
  const {receives} = contender
  const output = await mkdtemp(join(bench.home, 'output-'))
  try {
    await settle()
    const usage = await receives.download(topic, input, output)
    if (receives.ownFiles !== null) await compareDirectory(input, output, receives.ownFiles)
    return usage
  } finally {
    await rm(output, {recursive: true, force: true})
  }
}

/** Is written once, before it is needed. */
async function topicWrittenBy(
  {topics}: Bench,
  uploader: Uploader,
  input: InputFiles,
  written: Map<string, string>,
): Promise<string> {
  const topic = written.get(uploader.name) ?? (await topics.create())
  if (!written.has(uploader.name)) {
    written.set(uploader.name, topic)
    await send(uploader, input, topic)
  }
  return topic
}

async function storeOnce(
  {store}: Bench,
  {stores}: Extract<Contender, {stores: unknown}>,
  input: InputFiles,
  topic: string,
): Promise<Usage> {
  if (store === null) throw new Error('there is no store')
  const bucket = await store.createBucket()
  try {
    await settle()
    const usage = await stores.store(topic, input, bucket)
    await compareBucket(input, store, bucket, topic)
    return usage
  } finally {
    await store.removeBucket(bucket)
  }
}

async function sendOnce(
  {bootstrap, topics, programs}: Bench,
  {role, sends}: Extract<Contender, {sends: unknown}>,
  input: InputFiles,
): Promise<Usage> {
  const topic = await topics.create()
  try {
    const usage = await send(sends, input, topic)
    if (role !== 'limit' && programs.kcatConsume !== null) await compareTopic(input, bootstrap, topic)
    return usage
  } finally {
    await topics.remove(topic)
  }
}

async function relayOnce(
  {bootstrap, topics, programs}: Bench,
  {relays}: Extract<Contender, {relays: unknown}>,
  {files}: InputFiles,
  written: Map<string, string>,
): Promise<Usage> {
  const input = written.get(RECORDS) ?? (await topics.create())
  if (!written.has(RECORDS)) {
    written.set(RECORDS, input)
    await topics.fill(input, recordsFor(files))
  }
  const output = await topics.create()
  try {
    await settle()
    const usage = await relays.relay(input, output)
    if (programs.kcatConsume !== null) await compareTopics(bootstrap, input, output)
    return usage
  } finally {
    await topics.remove(output)
  }
}

async function send(uploader: Uploader, input: InputFiles, topic: string): Promise<Usage> {
  const prepared = (await uploader.prepare?.(input)) ?? input
  await settle()
  return uploader.upload(prepared, topic)
}

/** What the last run left to the disk and to the broker must not slow the next. */
async function settle(): Promise<void> {
  await runOrThrow('sync', [])
  await sleep(500)
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

function orNotFinished(thrown: unknown): NotFinished {
  if (thrown instanceof NotFinished) return thrown
  throw thrown
}

function describe(contender: Contender): Pick<ContenderResult, 'role' | 'program' | 'topicWrittenBy'> {
  const {name, readsNoTopic} = programOf(contender)
  const readsATopic = 'writtenBy' in contender && readsNoTopic !== true
  const topicWrittenBy = readsATopic ? contender.writtenBy.name : null
  return {role: contender.role, program: name, topicWrittenBy}
}

function programOf(contender: Contender): {readonly name: string; readonly readsNoTopic?: true} {
  if ('sends' in contender) return contender.sends
  if ('relays' in contender) return contender.relays
  return 'stores' in contender ? contender.stores : contender.receives
}
