import {rmSync} from 'node:fs'
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {startRealKafka} from '../test/support/real-kafka.js'
import {JOBS, quick, SMALLEST, type Job} from './jobs.js'
import {describeMachine} from './machine.js'
import {markdown} from './markdown.js'
import {type Options, parseOptions, USAGE} from './options.js'
import {installPrograms} from './programs/programs.js'
import type {Results} from './results.js'
import {type Bench, runJob} from './rounds.js'
import {measureStartUp, startUpCommands} from './start-up.js'
import {openStore, type Store} from './store.js'
import {watchStolen} from './stolen.js'
import {openTopics} from './topics.js'
import {brokerPidAmongChildren} from './usage.js'
import {versionsOf} from './versions.js'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const START_UP_ROUNDS = 15
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const say = (line: string): void => console.error(line)

await main()

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) {
    process.stdout.write(USAGE)
    return
  }
  const results = await measureAll(options)
  const {page: name} = options
  const numbers = join('bench', 'results', `${name ?? 'latest'}.json`)
  const page = join('docs', name === null ? 'benchmarks.md' : `benchmarks-${name}.md`)
  const text = markdown(results, numbers)
  if (name === null && (options.quick || options.only.length > 0)) {
    process.stdout.write(text)
    return
  }
  await mkdir(join(ROOT, 'bench', 'results'), {recursive: true})
  await writeFile(join(ROOT, numbers), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(ROOT, page), text)
  say(`Written: ${page}, ${numbers}`)
}

async function measureAll(options: Options): Promise<Results> {
  const home = await mkdtemp(join(tmpdir(), 'streamtool-bench-'))
  try {
    say('Starting Apache Kafka and versitygw')
    // The settings with which Java runs by itself, rather than those that start quickly.
    const kafka = await startRealKafka({javaOptions: []})
    const missing: string[] = []
    const store = await openStore().catch((error: unknown) => {
      missing.push(`versitygw, and so all buckets: ${error instanceof Error ? error.message : String(error)}`)
      return null
    })
    const close = async () => {
      await Promise.all([kafka.close(), store?.close()])
    }
    const stopped = onceStopped(async () => {
      await close()
      rmSync(home, {recursive: true, force: true})
    })
    try {
      return await measureOn({bootstrap: kafka.bootstrap, store, home, missing}, options)
    } finally {
      stopped.forget()
      await close()
    }
  } finally {
    await rm(home, {recursive: true, force: true})
  }
}

/** Gigabytes would be left behind. What is under way fails when its broker goes, and that is no news then. */
function onceStopped(clear: () => Promise<void>): {forget(): void} {
  const stop = () => {
    process.on('uncaughtException', () => undefined)
    void clear().finally(() => process.exit(130))
  }
  for (const signal of SIGNALS) process.once(signal, stop)
  return {
    forget() {
      for (const signal of SIGNALS) process.off(signal, stop)
    },
  }
}

interface Ground {
  readonly bootstrap: string
  readonly store: Store | null
  readonly home: string
  readonly missing: string[]
}

async function measureOn({bootstrap, store, home, missing}: Ground, options: Options): Promise<Results> {
  const topics = await openTopics(bootstrap)
  try {
    const stolen = watchStolen()
    say('Installing the programs')
    const servers = {brokerPid: brokerPidAmongChildren(), storePid: store?.pid ?? null}
    const programs = await installPrograms({bootstrap, servers, store, home}, topics, missing)
    const bench: Bench = {bootstrap, home, topics, store, programs, say}
    say('Warming up the broker')
    await runJob({...bench, say: () => undefined}, warmUp())
    const smallest = await runJob(bench, {
      ...SMALLEST,
      rounds: options.quick ? 1 : Math.min(SMALLEST.rounds, options.rounds ?? SMALLEST.rounds),
    })
    const jobs = []
    for (const job of chosen(options)) jobs.push(await runJob(bench, job))
    const startUp = await measureStartUp(
      await startUpCommands(programs, home),
      options.quick ? 3 : START_UP_ROUNDS,
    )
    return {
      schema: 3,
      date: new Date().toISOString(),
      machine: await describeMachine(home),
      stolenShare: stolen(),
      versions: await versionsOf(programs),
      missing: programs.missing,
      ...{smallest, jobs, startUp},
    }
  } finally {
    await topics.close()
  }
}

function chosen(options: Options): Job[] {
  const jobs = JOBS.filter(
    ({id}) => options.only.length === 0 || options.only.some((text) => id.includes(text)),
  )
  const {rounds} = options
  const bounded = rounds === null ? jobs : jobs.map((job) => ({...job, rounds: Math.min(job.rounds, rounds)}))
  return options.quick ? bounded.map(quick) : bounded
}

/** A JVM that has just started compiles what it does while it does it. */
function warmUp(): Job {
  const contenders: Job['contenders'] = ({streamtool}) => [
    {role: 'ours', sends: streamtool.upload},
    {role: 'ours', receives: streamtool.reconstruct, writtenBy: streamtool.upload},
  ]
  const input = {count: 400, smallestBytes: 1000, largestBytes: 1_000_000}
  return {...SMALLEST, id: 'warm-up', input, rounds: 2, contenders}
}
