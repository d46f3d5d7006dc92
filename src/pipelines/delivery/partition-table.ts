/**
 * The partitions of this process: how far each is read, and what is done there. Three offsets of each:
 *
 *     safe offset <= ledger position   below the one nothing is open; the other is the next that was never seen
 *     read position                    the next to be fetched; behind the ledger's while records are read once more
 */
import type {IntervalSet, PartitionLedger} from '../../core/offsets/index.js'
import {overDone, type PartitionProgress} from './partition-progress.js'

export interface Position {
  readonly partition: number
  readonly offset: number
}

export class PartitionTable {
  private progress = new Map<number, PartitionProgress>()

  get size(): number {
    return this.progress.size
  }

  get(partition: number): PartitionProgress | undefined {
    return this.progress.get(partition)
  }

  set(partition: number, progress: PartitionProgress): void {
    this.progress.set(partition, progress)
  }

  /** Other partitions are ours now. @returns those that were and are not any more, or begin anew */
  replace(progress: Map<number, PartitionProgress>): Set<number> {
    const before = this.progress
    this.progress = progress
    return new Set(
      [...before.keys()].filter((partition) => before.get(partition) !== progress.get(partition)),
    )
  }

  clear(): void {
    this.progress = new Map()
  }

  entries(): (readonly [partition: number, progress: PartitionProgress])[] {
    return [...this.progress]
  }

  ledgers(): (readonly [partition: number, ledger: PartitionLedger])[] {
    return [...this.progress].map(([partition, {ledger}]) => [partition, ledger])
  }

  isDone(partition: number, offset: number): boolean {
    return this.progress.get(partition)?.ledger.isDone(offset) ?? false
  }

  markDone(offsets: ReadonlyMap<number, IntervalSet>): void {
    for (const [partition, done] of offsets) this.progress.get(partition)?.ledger.markDone(done.runs())
  }

  /** Everything that is known to be there has been read: of these partitions, or of all. */
  standsAtEnd(partitions: Iterable<number> = this.progress.keys()): boolean {
    for (const partition of partitions) {
      const progress = this.progress.get(partition)
      if (progress !== undefined && progress.readPosition < progress.endOffset) return false
    }
    return true
  }

  /** Reading is to go on at the first of these offsets, in each partition that stands behind them. */
  stepBack(wanted: ReadonlyMap<number, IntervalSet>): Position[] {
    const positions: Position[] = []
    for (const [partition, offsets] of wanted) {
      const progress = this.progress.get(partition)
      const [first] = offsets.runs()
      if (!progress || !first || first.start >= progress.readPosition) continue
      progress.readPosition = first.start
      positions.push({partition, offset: first.start})
    }
    return positions
  }

  /** @returns where reading is to go on instead, when a long run of what follows is done */
  jumpOverDone(partition: number): Position | null {
    const progress = this.progress.get(partition)
    if (!progress) return null
    const offset = overDone(progress, progress.readPosition)
    if (offset === null) return null
    progress.readPosition = offset
    return {partition, offset}
  }
}
