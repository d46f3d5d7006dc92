/**
 * Chunks that arrived ahead of their turn. They are copied out of their fetch answer; within the budget they stay
 * in memory, beyond it they go to a spill file and are read back in turn. Never a reason to wait for: the chunk
 * whose turn it is may be the very next record.
 */
import {Gauge} from '../flow/index.js'
import type {SpillFile, SpillStore} from '../ports/index.js'

/** Shared by all assemblies of a process. */
export class ReorderBudget {
  readonly bytes = new Gauge()
  constructor(
    readonly limitBytes: number,
    readonly store: SpillStore,
  ) {}
}

export interface WaitingChunk {
  readonly offsetBytes: number
  readonly byteLength: number
  /** The data, now that its turn has come. Called once: it gives back the memory that the data took. */
  load(): Promise<Buffer>
}

export class ReorderBuffer {
  private readonly waiting = new Map<number, WaitingChunk>()
  private bytesInMemory = 0
  /** Chunks in the spill file that have not been loaded. */
  private spilledCount = 0
  private spill: Promise<SpillFile> | null = null
  private lastSpill: Promise<unknown> = Promise.resolve()

  /** @param signal ends every wait for the spill store */
  constructor(
    private readonly budget: ReorderBudget,
    private readonly signal?: AbortSignal,
  ) {}

  put(index: number, offsetBytes: number, data: Buffer): void {
    const byteLength = data.length
    if (this.budget.bytes.value + byteLength <= this.budget.limitBytes) {
      const copy = Buffer.from(data)
      this.count(byteLength)
      const load = () => {
        this.count(-byteLength)
        return Promise.resolve(copy)
      }
      this.waiting.set(index, {offsetBytes, byteLength, load})
      return
    }
    const spilled = this.append(data)
    this.spilledCount += 1
    const load = async () => {
      const loaded = Buffer.allocUnsafe(byteLength)
      await (await this.file()).read(await spilled, loaded)
      this.spilledCount -= 1
      // Its space is wanted, perhaps for what comes next, and this file may stay open for long.
      if (this.spilledCount === 0) await this.endSpill().catch(() => undefined)
      return loaded
    }
    this.waiting.set(index, {offsetBytes, byteLength, load})
  }

  take(index: number): WaitingChunk | null {
    const chunk = this.waiting.get(index)
    if (!chunk) return null
    this.waiting.delete(index)
    return chunk
  }

  /** Resolves when the last data that was put is in memory or on disk: until then it belongs to its fetch answer. */
  async stored(): Promise<void> {
    await this.lastSpill
  }

  async clear(): Promise<void> {
    this.waiting.clear()
    this.count(-this.bytesInMemory)
    await this.lastSpill
    await this.endSpill()
  }

  private async endSpill(): Promise<void> {
    const spill = this.spill
    this.spill = null
    await (await spill)?.close()
  }

  private append(data: Buffer): Promise<number> {
    const appended = this.lastSpill.then(async () => (await this.file()).append(data))
    // A failure is seen by whoever loads the chunk.
    this.lastSpill = appended.catch(() => undefined)
    return appended
  }

  private file(): Promise<SpillFile> {
    this.spill ??= this.budget.store.create(this.signal)
    return this.spill
  }

  private count(bytes: number): void {
    this.bytesInMemory += bytes
    this.budget.bytes.add(bytes)
  }
}
