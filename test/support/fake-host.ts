/** A processor's host in this process, as simple as can be, and the surroundings of a destination that uses it. */
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {openAttemptJournal} from '../../src/adapters/files/attempt-journal.js'
import {OutputPlace} from '../../src/adapters/files/output-place.js'
import {createProcessedIndex} from '../../src/adapters/files/processed-index.js'
import {createFileStaging, type StagingMode} from '../../src/adapters/files/staging/index.js'
import {systemClock} from '../../src/adapters/system/clock.js'
import type {Clock, Destination, StagedFile, Step} from '../../src/core/ports/index.js'
import type {FileInfo} from '../../src/processors/contract.js'
import {createProcessorDestination} from '../../src/processors/destination.js'
import type {ProcessorHost} from '../../src/processors/host.js'
import {type RecordedLog, recordedLog} from './quiet.js'

export type Work = (file: FileInfo, content: StagedFile, signal: AbortSignal) => unknown

export interface FakeHost extends ProcessorHost {
  /** What was called, in order: `process a.txt 1`, `failed a.txt 2 PROCESSING_FAILED`. */
  readonly calls: string[]
}

export function fakeHost(work: Work = () => undefined): FakeHost {
  const calls: string[] = []
  return {
    name: 'fake',
    calls,
    start: () => Promise.resolve(),
    async process(file, content, signal) {
      calls.push(`process ${file.path} ${file.attempt}`)
      return work(file, content, signal)
    },
    async failed(file, error) {
      const code = 'code' in error ? String(error.code) : error.message
      calls.push(`failed ${file.path} ${file.attempt} ${code}`)
    },
    async mismatched(file) {
      calls.push(`mismatched ${file.path}`)
    },
    close: () => Promise.resolve(),
  }
}

export interface ProcessingOptions {
  readonly root?: string
  readonly mode?: StagingMode
  readonly memoryBytes?: number
  readonly keepFiles?: boolean
  readonly generations?: 'newest' | 'all'
  readonly concurrency?: number
  readonly attempts?: number
  readonly timeoutMs?: number | null
  readonly clock?: Clock
}

export interface Processing {
  readonly root: string
  readonly destination: Destination
  readonly log: RecordedLog
  readonly steps: Step[]
  /** As a graceful end does. */
  close(): Promise<void>
}

/** As the command puts it together. */
export async function processing(host: ProcessorHost, options: ProcessingOptions = {}): Promise<Processing> {
  const root = options.root ?? (await mkdtemp(path.join(tmpdir(), 'streamtool-test-')))
  await mkdir(root, {recursive: true})
  const [log, steps] = [recordedLog(), [] as Step[]]
  const {concurrency = 4, clock = systemClock, generations = 'newest'} = options
  const stepObserver = {reached: (step: Step) => void steps.push(step)}
  const {signal} = new AbortController()
  const place = await OutputPlace.open({
    root,
    index: 'processed',
    concurrency,
    clock: systemClock,
    logger: log,
  })
  const {whenStorageAllows} = place
  const destination = createProcessorDestination({
    host,
    staging: createFileStaging(place, {
      mode: options.mode ?? 'auto',
      memoryBytes: options.memoryBytes ?? 1 << 20,
      keepFiles: options.keepFiles ?? false,
      steps: stepObserver,
      logger: log,
      signal,
    }),
    processed: createProcessedIndex(place, {generations, signal}),
    journal: await openAttemptJournal(path.join(root, '.streamtool/attempts'), {
      whenStorageAllows,
      signal,
      nowMs: Date.now(),
    }),
    concurrency,
    attempts: options.attempts ?? 1,
    attemptDelayMs: 10,
    timeoutMs: options.timeoutMs ?? null,
    clock,
    logger: log,
    steps: stepObserver,
    random: () => 0.5,
  })
  return {
    root,
    destination,
    log,
    steps,
    async close() {
      await destination.close()
      await place.close()
    },
  }
}

export async function removeRoot({root}: Processing): Promise<void> {
  await rm(root, {recursive: true, force: true})
}
