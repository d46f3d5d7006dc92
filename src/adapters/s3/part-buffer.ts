/**
 * The part of a file that is being filled. It lies in memory while the budget of all of them allows, and on disk
 * beyond it: thousands of files may be open, and the chunk that completes a part may come after all of the others.
 */
import type {Gauge} from '../../core/flow/index.js'
import type {SpillFile, SpillStore} from '../../core/ports/index.js'

export interface FillingBudget {
  readonly bytes: Gauge
  readonly limitBytes: number
  readonly spill: SpillStore
}

interface Run {
  readonly position: number
  byteLength: number
}

export class PartBuffer {
  byteLength = 0
  private pieces: Buffer[] = []
  private bytesInMemory = 0
  private spilled: {readonly file: SpillFile; readonly runs: Run[]} | null = null

  /** @param signal ends waiting for the disk */
  constructor(
    private readonly budget: FillingBudget,
    private readonly signal: AbortSignal,
  ) {}

  /** The data is the caller's again when this has resolved. */
  async append(data: Buffer): Promise<void> {
    if (data.length === 0) return
    this.byteLength += data.length
    const {bytes, limitBytes} = this.budget
    if (this.spilled === null && bytes.value + data.length <= limitBytes) {
      this.pieces.push(Buffer.from(data))
      this.count(data.length)
    } else await this.spill(data)
  }

  /** All of it, for as often as it is asked for. */
  async content(): Promise<Buffer> {
    const {spilled, pieces} = this
    if (spilled === null) {
      const [first] = pieces
      const whole = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
      this.pieces = [whole]
      return whole
    }
    const whole = Buffer.allocUnsafeSlow(this.byteLength)
    let at = 0
    for (const {position, byteLength} of spilled.runs) {
      at += (await spilled.file.read(position, byteLength)).copy(whole, at)
    }
    return whole
  }

  /** Gives back what it takes, in memory and on disk. */
  async clear(): Promise<void> {
    this.byteLength = 0
    this.letGo()
    const {spilled} = this
    this.spilled = null
    await spilled?.file.close()
  }

  private async spill(data: Buffer): Promise<void> {
    this.spilled ??= {file: await this.budget.spill.create(this.signal), runs: []}
    const {pieces} = this
    for (const piece of [...pieces, data]) await this.appendToFile(this.spilled, piece)
    this.letGo()
  }

  private async appendToFile({file, runs}: {file: SpillFile; runs: Run[]}, data: Buffer): Promise<void> {
    const position = await file.append(data)
    const last = runs.at(-1)
    if (last !== undefined && last.position + last.byteLength === position) last.byteLength += data.length
    else runs.push({position, byteLength: data.length})
  }

  private letGo(): void {
    this.pieces = []
    this.count(-this.bytesInMemory)
  }

  private count(bytes: number): void {
    this.bytesInMemory += bytes
    this.budget.bytes.add(bytes)
  }
}
