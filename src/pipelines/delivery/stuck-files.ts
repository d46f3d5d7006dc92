/**
 * What becomes of files whose missing chunks do not come although everything there is has been read:
 *
 *  - late copies of a file that is over (late-copies.ts) are done
 *  - what does not match its hash, twice, is parked however young it is, when there is a dead-letter topic
 *  - what is idle for long is parked, and what its destination did not take, when the user wants so
 *
 * Everything else waits, and is read again by whoever comes next.
 */
import {StreamtoolError} from '../../core/errors.js'
import {isAborted} from '../../core/flow/index.js'
import type {Clock, Logger} from '../../core/ports/index.js'
import type {OpenFile, Reassembly} from '../../core/reassembly/index.js'
import type {DeadLetters} from './dead-letters.js'
import type {LateCopies} from './late-copies.js'
import type {Notices} from './notices.js'
import type {PartitionTable} from './partition-table.js'
import {asRanges} from './tally.js'

const REVIEW_MS = 5000
/** A file whose newest record is younger may be on its way. */
const ON_ITS_WAY_MS = 10_000

export interface StuckFilesOptions {
  readonly reassembly: Reassembly
  readonly partitions: PartitionTable
  readonly lateCopies: LateCopies
  /** Null without a dead-letter topic. */
  readonly deadLetters: DeadLetters | null
  /** Null: never parked for being idle. */
  readonly parkAfterMs: number | null
  /** What its destination did not take goes to the dead-letter topic too. */
  readonly parksHeld: boolean
  readonly notices: Notices
  readonly clock: Clock
  readonly logger: Logger
}

export class StuckFiles {
  /** Asked, and not over. Once is enough: what is over later is known to this process. */
  private readonly noCopies = new WeakSet<OpenFile>()

  constructor(private readonly options: StuckFilesOptions) {}

  async reviewRegularly(signal: AbortSignal): Promise<void> {
    while (!isAborted(signal)) {
      await this.options.clock.sleep(REVIEW_MS, signal).catch(() => undefined)
      if (!isAborted(signal)) await this.review(signal, ON_ITS_WAY_MS)
    }
  }

  /**
   * Never rejects: what could not be found out, or not be sent, stays open.
   * @param onItsWayMs how long after its newest record a file is left alone
   */
  async review(signal: AbortSignal, onItsWayMs = 0): Promise<void> {
    const {reassembly, partitions, logger} = this.options
    const stuck = reassembly
      .openFiles()
      .filter((open) => open.state === 'held' || partitions.standsAtEnd(whereToLook(open)))
    try {
      await this.closeCopies(
        stuck.filter((open) => open.state === 'open' && this.ageMs(open) >= onItsWayMs),
        signal,
      )
    } catch (thrown) {
      if (!isAborted(signal))
        logger.warn(`Late copies could not be looked for; looking again: ${messageOf(thrown)}`)
    }
    await this.park(stuck, signal)
  }

  private async closeCopies(files: readonly OpenFile[], signal: AbortSignal): Promise<void> {
    const unknown = files.filter((open) => !this.noCopies.has(open))
    if (unknown.length === 0) return
    const counts = new Map(unknown.map((open) => [open, open.recordCount]))
    const over = await this.options.lateCopies.find(unknown, signal)
    for (const [open, recordCount] of counts) {
      const outcome = over.get(open)
      if (outcome === undefined) this.noCopies.add(open)
      else this.options.reassembly.closeOpen(open, recordCount, outcome)
    }
  }

  private async park(files: readonly OpenFile[], signal: AbortSignal): Promise<void> {
    const {deadLetters, notices, reassembly} = this.options
    if (deadLetters === null) return
    for (const open of files) {
      // Meanwhile it may be known as a copy, be complete, or be another member's.
      if (!reassembly.isOpen(open)) continue
      const {recordCount} = open
      const cause = this.causeToPark(open)
      if (cause === null || isAborted(signal)) continue
      try {
        await deadLetters.park(open, cause.code, cause.message, signal)
        reassembly.closeOpen(open, recordCount, 'parked', cause)
      } catch (thrown) {
        if (!isAborted(signal)) notices.deadLettersRefused(messageOf(thrown))
      }
    }
  }

  private causeToPark(open: OpenFile): StreamtoolError | null {
    const {file, state, error} = open
    if (state === 'held') return this.options.parksHeld ? error : null
    const facts = {path: file.path, missingChunks: asRanges(open.missingChunks())}
    if (state === 'failed')
      return new StreamtoolError('FILE_HASH_MISMATCH', `${file.path} does not match its SHA-512.`, {facts})
    const {parkAfterMs} = this.options
    if (parkAfterMs === null || open.missingChunks().size === 0 || this.ageMs(open) < parkAfterMs) return null
    return new StreamtoolError(
      'FILE_PARKED',
      `${open.missingChunks().size} of ${file.chunkCount} chunks of ${file.path} did not come.`,
      {facts},
    )
  }

  /** Since its newest record. Of one without a time nothing is known, so it is as if it had just come. */
  private ageMs({newestTimestampMs}: OpenFile): number {
    return newestTimestampMs < 0 ? 0 : this.options.clock.nowMs() - newestTimestampMs
  }
}

/** Other chunks of it can be in these partitions; in any, unless its uploader said otherwise. */
const whereToLook = ({partitionedByFile, offsets}: OpenFile) =>
  partitionedByFile ? offsets.keys() : undefined

const messageOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown))
