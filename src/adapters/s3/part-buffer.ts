/**
 * The part of a file that is being filled. It lies in memory while the budget of all of them allows, and on disk
 * beyond it: thousands of files may be open, and the chunk that completes a part may come after all of the others.
 *
 *     chunks -> slabs | copies of their own length, when small | spill file -> one body, to be sent
 *
 * Slabs and bodies are used again, part after part.
 */
import {BufferPool, Gauge} from '../../core/flow/index.js'
import type {SpillFile, SpillStore} from '../../core/ports/index.js'

const SLAB_BYTES = 512 * 1024
/** Less gets a copy of its own length: thousands of files may be open with a few bytes each. */
const SMALLEST_IN_SLAB_BYTES = SLAB_BYTES / 4

/** What the parts of all files share. */
export class PartMemory {
  readonly filling = new Gauge()
  readonly slabs: BufferPool
  readonly bodies: BufferPool

  /**
   * @param fillingBytes bounds the parts that are being filled; more of them is spilled
   * @param sendingBytes bounds the bodies that are being sent
   */
  constructor(
    readonly spill: SpillStore,
    readonly fillingBytes: number,
    sendingBytes: number,
    partBytes: number,
  ) {
    this.slabs = new BufferPool(SLAB_BYTES, Math.floor(fillingBytes / SLAB_BYTES))
    this.bodies = new BufferPool(partBytes, Math.floor(sendingBytes / partBytes))
  }

  /** For one part to be sent. */
  newBody(byteLength: number): PartBody {
    const {bodies} = this
    // A tail is shorter, and a part of an especially large file is longer.
    if (byteLength !== bodies.bufferBytes)
      return {bytes: Buffer.allocUnsafeSlow(byteLength), giveBack: () => undefined}
    const buffer = bodies.take()
    return {bytes: buffer, giveBack: () => bodies.give(buffer)}
  }
}

/** The content of a part. */
export interface PartBody {
  readonly bytes: Buffer
  /** Called at most once, when nobody reads it any more. */
  giveBack(): void
}

interface Piece {
  readonly buffer: Buffer
  byteLength: number
  readonly isSlab: boolean
}

/** Of the spill file. */
interface Run {
  readonly position: number
  byteLength: number
}

export class PartBuffer {
  byteLength = 0
  private pieces: Piece[] = []
  private spilled: {readonly file: SpillFile; readonly runs: Run[]} | null = null

  /** @param signal ends waiting for the disk */
  constructor(
    private readonly memory: PartMemory,
    private readonly signal: AbortSignal,
  ) {}

  /** The data is the caller's again when this has resolved. */
  async append(data: Buffer): Promise<void> {
    if (data.length === 0) return
    this.byteLength += data.length
    if (this.spilled !== null || !this.keep(data)) await this.spill(data)
  }

  /** All of it, which is not here any more afterwards. */
  async take(): Promise<PartBody> {
    const body = this.onlySlab() ?? (await this.gathered())
    await this.clear()
    return body
  }

  /** Gives back what it takes, in memory and on disk. */
  async clear(): Promise<void> {
    this.byteLength = 0
    this.letGo()
    const {spilled} = this
    this.spilled = null
    await spilled?.file.close()
  }

  /** @returns false when the budget does not allow it */
  private keep(data: Buffer): boolean {
    const {slabs, filling, fillingBytes} = this.memory
    const last = this.pieces.at(-1)
    const room = last?.isSlab === true ? last.buffer.length - last.byteLength : 0
    const restBytes = Math.max(0, data.length - room)
    const isOfSlabs = restBytes >= SMALLEST_IN_SLAB_BYTES
    const wantedBytes = isOfSlabs ? Math.ceil(restBytes / SLAB_BYTES) * SLAB_BYTES : restBytes
    if (filling.value + wantedBytes > fillingBytes) return false
    filling.add(wantedBytes)
    let at = 0
    if (last !== undefined && room > 0) {
      at = data.copy(last.buffer, last.byteLength)
      last.byteLength += at
    }
    while (at < data.length) {
      const buffer = isOfSlabs ? slabs.take() : Buffer.allocUnsafeSlow(data.length - at)
      const byteLength = data.copy(buffer, 0, at)
      this.pieces.push({buffer, byteLength, isSlab: isOfSlabs})
      at += byteLength
    }
    return true
  }

  /** A file of one chunk need not be copied again. */
  private onlySlab(): PartBody | null {
    const [only] = this.pieces
    if (this.spilled !== null || this.pieces.length !== 1 || only === undefined) return null
    const {buffer, byteLength, isSlab} = only
    const {slabs, filling} = this.memory
    this.pieces = []
    filling.subtract(buffer.length)
    return {bytes: buffer.subarray(0, byteLength), giveBack: () => (isSlab ? slabs.give(buffer) : undefined)}
  }

  private async gathered(): Promise<PartBody> {
    const body = this.memory.newBody(this.byteLength)
    let at = 0
    const {file, runs} = this.spilled ?? {file: null, runs: []}
    for (const {position, byteLength} of runs) {
      await file?.read(position, body.bytes.subarray(at, at + byteLength))
      at += byteLength
    }
    for (const {buffer, byteLength} of this.pieces) at += buffer.copy(body.bytes, at, 0, byteLength)
    return body
  }

  private async spill(data: Buffer): Promise<void> {
    this.spilled ??= {file: await this.memory.spill.create(this.signal), runs: []}
    for (const {buffer, byteLength} of this.pieces)
      await this.appendToFile(this.spilled, buffer.subarray(0, byteLength))
    this.letGo()
    await this.appendToFile(this.spilled, data)
  }

  private async appendToFile({file, runs}: {file: SpillFile; runs: Run[]}, data: Buffer): Promise<void> {
    const position = await file.append(data)
    const last = runs.at(-1)
    if (last !== undefined && last.position + last.byteLength === position) last.byteLength += data.length
    else runs.push({position, byteLength: data.length})
  }

  private letGo(): void {
    const {slabs, filling} = this.memory
    for (const {buffer, isSlab} of this.pieces) {
      filling.subtract(buffer.length)
      if (isSlab) slabs.give(buffer)
    }
    this.pieces = []
  }
}
