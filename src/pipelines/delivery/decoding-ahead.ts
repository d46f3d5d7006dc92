/** The records of a batch, decoded in their order; large ones ahead of their turn, on other threads. */
import {decodeChunkAside, type DecodedChunk, type Poison} from '../../core/chunk/index.js'
import type {ConsumedRecord} from '../../core/ports/index.js'

/** Each is copied for its hash, so a few chunks' worth of memory. */
const AHEAD = 6

type Verdict = DecodedChunk | Poison

export class DecodingAhead {
  private readonly verdicts = new Map<number, Verdict | Promise<Verdict>>()
  private next = 0

  /** @param isWanted what is done already is not decoded */
  constructor(
    private readonly records: readonly ConsumedRecord[],
    private readonly isWanted: (record: ConsumedRecord) => boolean,
  ) {}

  /** To be asked for ascending indexes. */
  take(index: number): Verdict | Promise<Verdict> {
    for (; this.next <= index + AHEAD && this.next < this.records.length; this.next++) {
      const record = this.records[this.next]
      if (record && this.next >= index && this.isWanted(record))
        this.verdicts.set(this.next, decodeChunkAside(record))
    }
    const verdict = this.verdicts.get(index)
    this.verdicts.delete(index)
    if (verdict === undefined) throw new RangeError(`record ${index} was taken before, or is not wanted`)
    return verdict
  }
}
