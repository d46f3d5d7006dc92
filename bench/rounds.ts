/**
 * Runs a job: its contenders take turns in every round, beginning with another one each time, so that nobody
 * always has the quiet or the busy moment.
 */
import {mkdtemp, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {runOrThrow} from '../test/support/processes.js'
import {compareDirectory, compareTopic} from './compare.js'
import {type InputFiles, makeInput} from './input-files.js'
import type {Contender, Job} from './jobs.js'
import type {Uploader} from './programs/program.js'
import type {Programs} from './programs/programs.js'
import type {ContenderResult, JobResult} from './results.js'
import type {Topics} from './topics.js'
import type {Usage} from './usage.js'

export interface Bench {
  readonly bootstrap: string
  readonly home: string
  readonly topics: Topics
  readonly programs: Programs
  say(line: string): void
}

export async function runJob(bench: Bench, job: Job): Promise<JobResult> {
  const place = await mkdtemp(join(bench.home, `${job.id}-`))
  const input = await makeInput(join(place, 'input'), job.input)
  const written = new Map<string, string>()
  try {
    const contenders = job.contenders(bench.programs)
    const runs = new Map<Contender, Usage[]>(contenders.map((contender) => [contender, []]))
    const failures = new Map<Contender, string>()
    for (let round = 0; round < job.rounds; round++)
      for (const contender of rotated(contenders, round)) {
        const usage = await runOnce(bench, contender, input, written)
        runs.get(contender)!.push(usage)
        bench.say(
          `  ${job.id} ${round + 1}/${job.rounds}: ${nameOf(contender)} ${usage.seconds.toFixed(2)} s`,
        )
      }
    return {
      ...{id: job.id, title: job.title, unit: job.unit, target: job.target, rssLimitMiB: job.rssLimitMiB},
      ...{files: input.files.length, bytes: input.totalBytes},
      contenders: contenders.map((contender) => ({
        ...describe(contender),
        runs: failures.has(contender) ? [] : runs.get(contender)!,
        failure: failures.get(contender) ?? null,
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
  const {receives, writtenBy} = contender
  const topic = written.get(writtenBy.name) ?? (await bench.topics.create())
  if (!written.has(writtenBy.name)) {
    await send(writtenBy, input, topic)
    written.set(writtenBy.name, topic)
  }
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

function describe(contender: Contender): Omit<ContenderResult, 'runs' | 'failure'> {
  if ('sends' in contender) return {role: contender.role, program: contender.sends.name, topicWrittenBy: null}
  const {role, receives, writtenBy} = contender
  return {role, program: receives.name, topicWrittenBy: receives.readsNoTopic ? null : writtenBy.name}
}

const nameOf = (contender: Contender) =>
  'sends' in contender ? contender.sends.name : contender.receives.name
