import type {BatchHeader} from './record-batch.js'

/** At most this much is read over to find a batch. */
const SECTION_BYTES = 8192

interface Section {
  readonly baseOffset: number
  /** Of the section's first batch in the file. */
  readonly position: number
  maxTimestampMs: number
}

/** Where batches are in the file: a sparse index, kept in memory and rebuilt when the log is opened. */
export class OffsetIndex {
  readonly #sections: Section[] = []

  add({baseOffset, maxTimestampMs}: BatchHeader, position: number): void {
    const last = this.#sections.at(-1)
    if (last !== undefined && position - last.position < SECTION_BYTES) {
      last.maxTimestampMs = Math.max(last.maxTimestampMs, maxTimestampMs)
    } else {
      this.#sections.push({baseOffset, position, maxTimestampMs})
    }
  }

  /** The position of a batch at or before the one that holds this offset. */
  positionAtOrBefore(offset: number): number {
    let low = 0
    let high = this.#sections.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sections[middle]?.baseOffset ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return this.#sections[low - 1]?.position ?? 0
  }

  /** The positions of the sections that hold a record of this time or later, from a given one on. */
  *positionsSince(timestampMs: number, fromPosition: number): Generator<number> {
    for (const {position, maxTimestampMs} of this.#sections) {
      if (position >= fromPosition && maxTimestampMs >= timestampMs) yield position
    }
  }
}
