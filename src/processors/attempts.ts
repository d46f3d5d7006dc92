/**
 * The attempts on one file, one after another until one succeeds, with pauses that double:
 *
 *     journal: begun -> processor -> journal: ended        used up -> `failed` -> thrown, and the file is held
 *
 * The number of an attempt goes on counting when a later run tries the file again, since it is written down before the
 * processor is called. So is its end, when it failed; a beginning without one tells the next run that the process died in it. A file
 * in which it died three times in a row may be what kills it (a crash in native code, too little memory): it is held
 * without another attempt, so that the other files get their turn, and tried once more by the run after that.
 */
import {asStreamtoolError, StreamtoolError} from '../core/errors.js'
import {isAborted, pauseAfter, type Semaphore, spread} from '../core/flow/index.js'
import type {
  AttemptJournal,
  AttemptRecord,
  Clock,
  IncomingFile,
  Logger,
  SealedFile,
  StepObserver,
} from '../core/ports/index.js'
import {uploadKey} from '../core/reassembly/index.js'
import {withinLimits} from './within-limits.js'
import {fileInfo} from './file-info.js'
import type {ProcessorHost} from './host.js'

const MOST_DEATHS = 3
const LONGEST_PAUSE_MS = 5 * 60_000
/** More or less of a pause: files that failed together do not come back together. */
const SPREAD = 1 / 4
const NEVER_TRIED: AttemptRecord = {attempts: 0, deaths: 0, isRunning: false}

export interface AttemptOptions {
  readonly host: ProcessorHost
  readonly journal: AttemptJournal
  /** In one run. */
  readonly attempts: number
  /** Before the second one. */
  readonly attemptDelayMs: number
  /** Of one attempt; null: as long as it takes. */
  readonly timeoutMs: number | null
  /** How many may be under way at once. */
  readonly slots: Semaphore
  readonly clock: Clock
  readonly logger: Logger
  readonly steps: StepObserver
  /** 0 <= x < 1 */
  readonly random: () => number
}

/**
 * Resolves when the file was processed.
 * @throws what the last attempt failed with, or the signal's reason
 */
export async function attemptUntilProcessed(
  file: IncomingFile,
  content: SealedFile,
  options: AttemptOptions,
  stop: AbortSignal,
): Promise<void> {
  const {host, journal, attempts, clock, logger} = options
  const {path} = file
  let record = await recordOf(file, options)
  const usedUp = async (error: StreamtoolError): Promise<never> => {
    await host.failed(fileInfo(file, content.sizeBytes, record.attempts), error, stop)
    throw error
  }
  if (record.deaths >= MOST_DEATHS) {
    await journal.write(uploadKey(file), {...record, deaths: MOST_DEATHS - 1})
    return usedUp(killer(path))
  }
  for (let inThisRun = 1; ; inThisRun += 1) {
    const tried = await attemptOnce(file, content, record, options, stop)
    if (tried.error === null) return
    const {error} = tried
    record = tried.record
    if (error.endsRun) throw error
    if (inThisRun >= attempts || error.code === 'FILE_TOO_LARGE_FOR_MEMORY') return usedUp(error)
    const pauseMs = pauseBefore(inThisRun, options)
    logger.warn(
      `Attempt ${inThisRun} of ${attempts} on ${path} failed: ${error.message.replace(/\.$/, '')}. The next one is in ${(pauseMs / 1000).toFixed(1)} s.`,
      {code: error.code, path, attempt: record.attempts},
    )
    await clock.sleep(pauseMs, stop)
    await content.restore()
  }
}

interface Tried {
  readonly record: AttemptRecord
  /** Null when it succeeded. */
  readonly error: StreamtoolError | null
}

/** @throws the signal's reason, and what is wrong with the journal */
async function attemptOnce(
  file: IncomingFile,
  content: SealedFile,
  before: AttemptRecord,
  {host, journal, slots, steps, timeoutMs, clock}: AttemptOptions,
  stop: AbortSignal,
): Promise<Tried> {
  const key = uploadKey(file)
  const begun = {...before, attempts: before.attempts + 1, isRunning: true}
  return slots.run(
    async () => {
      await journal.write(key, begun)
      const info = fileInfo(file, content.sizeBytes, begun.attempts)
      steps.reached('before-plugin')
      try {
        await withinLimits(info.path, (signal) => host.process(info, content, signal), {
          timeoutMs,
          stop,
          clock,
        })
      } catch (thrown) {
        const record = {attempts: begun.attempts, deaths: 0, isRunning: false}
        await journal.write(key, record)
        if (isAborted(stop)) throw stop.reason
        return {record, error: asStreamtoolError(thrown)}
      }
      steps.reached('after-plugin')
      return {record: begun, error: null}
    },
    1,
    stop,
  )
}

/** The last attempt succeeded, and the file is not done all the same. */
export async function attemptEnded(
  file: IncomingFile,
  {journal}: Pick<AttemptOptions, 'journal'>,
): Promise<void> {
  const record = (await journal.read(uploadKey(file))) ?? NEVER_TRIED
  await journal.write(uploadKey(file), {...record, deaths: 0, isRunning: false})
}

/** A death is known by a beginning without an end. */
async function recordOf(file: IncomingFile, {journal}: AttemptOptions): Promise<AttemptRecord> {
  const {attempts, deaths, isRunning} = (await journal.read(uploadKey(file))) ?? NEVER_TRIED
  return {attempts, deaths: isRunning ? deaths + 1 : deaths, isRunning: false}
}

function pauseBefore(failures: number, {attemptDelayMs, random}: AttemptOptions): number {
  const pauseMs = pauseAfter(failures, {initialMs: attemptDelayMs, maxMs: LONGEST_PAUSE_MS})
  return Math.round(spread(pauseMs, SPREAD, random))
}

function killer(path: string): StreamtoolError {
  return new StreamtoolError(
    'PROCESSOR_CRASHED',
    `${path} was being processed each of the last ${MOST_DEATHS} times that the process died, so it is left out this time.`,
    {
      facts: {path},
      suggestions: [
        'With --isolate process a crash ends the attempt only.',
        'Look for what killed it: memory (dmesg), native code. The next start tries it again.',
      ],
    },
  )
}
