/** A record that was read, until everything that was made of it is acknowledged. */
import type {ConsumedRecord} from '../../core/ports/index.js'

/** Whoever has to know that records are done: their partition. */
export interface Origin {
  /** `start <= offset < end` */
  settled(start: number, end: number, records: number): void
}

export class OpenRecord {
  /** Outputs not acknowledged yet; one more while they are still being handed over. */
  private waitingFor = 1

  constructor(
    readonly record: ConsumedRecord,
    readonly origin: Origin,
  ) {}

  expectOne(): void {
    this.waitingFor += 1
  }

  /** @returns whether it is done now */
  gotOne(): boolean {
    this.waitingFor -= 1
    return this.waitingFor === 0
  }
}

/** Tells partitions of records that are done, neighbours at one go. */
export class Settling {
  private origin: Origin | null = null
  private start = 0
  private end = 0

  add({record: {offset}, origin}: OpenRecord): void {
    if (origin === this.origin && offset === this.end) {
      this.end += 1
      return
    }
    this.flush()
    this.origin = origin
    this.start = offset
    this.end = offset + 1
  }

  flush(): void {
    this.origin?.settled(this.start, this.end, this.end - this.start)
    this.origin = null
  }
}
