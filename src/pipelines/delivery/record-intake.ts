/** What becomes of each record that is read: a chunk for its assembly, or done at once, or a dead letter. */
import {type DecodedChunk, type Poison} from '../../core/chunk/index.js'
import {abortable, isAborted, RecentKeys} from '../../core/flow/index.js'
import type {Clock, ConsumedRecord, RecordBatch} from '../../core/ports/index.js'
import {generationKey, type Reassembly} from '../../core/reassembly/index.js'
import type {DeadLetters, RefusedChunk} from './dead-letters.js'
import {DecodingAhead} from './decoding-ahead.js'
import type {Notices} from './notices.js'
import type {PartitionProgress} from './partition-progress.js'
import type {PartitionTable} from './partition-table.js'
import type {Tally} from './tally.js'

/** One answer may hold a hundred thousand small files; so many may be open that are not written yet. */
const RECORDS_AT_ONCE = 512
/** How many excluded files are told as one each, however many chunks they have. */
const EXCLUDED_REMEMBERED = 65_536

export interface RecordIntakeOptions {
  readonly partitionCount: number
  /** Whether the user wants this file; null when all are wanted. */
  readonly wants: ((path: string) => boolean) | null
  readonly clock: Clock
  readonly tally: Tally
  readonly notices: Notices
  /** Null without a dead-letter topic. */
  readonly deadLetters: DeadLetters | null
}

export class RecordIntake {
  private readonly excluded = new RecentKeys<true>(EXCLUDED_REMEMBERED)

  constructor(
    private readonly options: RecordIntakeOptions,
    private readonly reassembly: Reassembly,
    private readonly partitions: PartitionTable,
  ) {}

  /**
   * Takes the records, unless the epoch ends or reading is told to go on further back meanwhile.
   * @param nextOffset the position after them
   * @param signal aborts when the epoch is over
   * @returns false when one of them may still be read by somebody, whatever {@link absorbed} says of the rest
   */
  async take(
    progress: PartitionProgress,
    {records, nextOffset}: Pick<RecordBatch, 'records' | 'nextOffset'>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const refused: RefusedChunk[] = []
    const {areTaken, areFree} = await this.takeEach(progress, records, refused, signal)
    if (areTaken) {
      progress.ledger.passTo(nextOffset)
      progress.readPosition = nextOffset
    }
    const areRefused = refused.length === 0 || (await this.refuse(progress, refused, signal))
    return areFree && areRefused
  }

  /**
   * Resolves when no record needs to be kept and few enough finished files wait, or the epoch is over: then nobody waits
   * for what was read.
   * @returns whether the memory of all records taken so far may be written over
   */
  async absorbed(signal: AbortSignal): Promise<boolean> {
    try {
      return await abortable(this.reassembly.absorbed(), signal)
    } catch (thrown) {
      if (!isAborted(signal)) throw thrown
      return false
    }
  }

  /** `areTaken` is false when what is left is not wanted any more; `areFree` as {@link absorbed} says it. */
  private async takeEach(
    progress: PartitionProgress,
    records: readonly ConsumedRecord[],
    refused: RefusedChunk[],
    signal: AbortSignal,
  ): Promise<{areTaken: boolean; areFree: boolean}> {
    const nowMs = this.options.clock.nowMs()
    const decoding = new DecodingAhead(records, ({offset}) => !progress.ledger.isDone(offset))
    let position = progress.readPosition
    // Somebody who wants records once more moves the read position back, while this waits.
    const isOver = () => isAborted(signal) || progress.readPosition !== position
    let areFree = true
    for (const [i, record] of records.entries()) {
      if (i % RECORDS_AT_ONCE === 0) areFree = (await this.absorbed(signal)) && areFree
      if (isOver()) return {areTaken: false, areFree}
      this.options.tally.records += 1
      if (progress.ledger.see(record.offset)) {
        const decoded = decoding.take(i)
        const chunk = decoded instanceof Promise ? await decoded : decoded
        if (isOver()) return {areTaken: false, areFree}
        this.route(progress, record, chunk, nowMs, refused)
      }
      progress.readPosition = position = record.offset + 1
    }
    return {areTaken: true, areFree}
  }

  private route(
    progress: PartitionProgress,
    record: ConsumedRecord,
    decoded: DecodedChunk | Poison,
    nowMs: number,
    refused: RefusedChunk[],
  ): void {
    if ('poison' in decoded) {
      this.options.tally.poisoned(record, decoded)
      if (this.options.deadLetters === null) markDone(progress, record)
      else refused.push({record, poison: decoded})
      return
    }
    if (this.isExcluded(decoded)) {
      markDone(progress, record)
      return
    }
    if (!decoded.headers.partitionedByFile) this.noticeSpread()
    if (this.reassembly.accept(decoded, record, nowMs) === 'stray') markDone(progress, record)
  }

  private isExcluded(decoded: DecodedChunk): boolean {
    const {wants, tally} = this.options
    if (wants === null || wants(decoded.path)) return false
    const key = generationKey(decoded)
    if (this.excluded.get(key) === undefined) {
      this.excluded.set(key, true)
      tally.excluded(decoded.path)
    }
    return true
  }

  /** What is no chunk is done once the dead-letter topic has it; until then it stays open. */
  private async refuse(
    progress: PartitionProgress,
    refused: readonly RefusedChunk[],
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await this.options.deadLetters?.refuse(refused, signal)
    } catch (thrown) {
      const [first] = refused
      // Should the partition come back to us, they are read again.
      if (signal.aborted && first)
        progress.readPosition = Math.min(progress.readPosition, first.record.offset)
      else this.options.notices.deadLettersRefused(thrown instanceof Error ? thrown.message : String(thrown))
      return false
    }
    for (const {record} of refused) markDone(progress, record)
    return true
  }

  private noticeSpread(): void {
    const {size} = this.partitions
    const {partitionCount, notices} = this.options
    if (size < partitionCount) notices.chunksSpread(size, partitionCount)
  }
}

function markDone({ledger}: PartitionProgress, {offset}: ConsumedRecord): void {
  ledger.markDone([{start: offset, end: offset + 1}])
}
