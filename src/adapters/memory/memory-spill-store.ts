/** A spill store that spills nowhere: for tests, and for machines without a place to write. */
import {StreamtoolError} from '../../core/errors.js'
import type {SpillFile, SpillStore} from '../../core/ports/index.js'

export interface MemorySpillStore extends SpillStore {
  /** Files not closed yet. */
  readonly openFiles: number
  readonly byteLength: number
}

export function createMemorySpillStore(): MemorySpillStore {
  const open = new Set<MemorySpillFile>()
  return {
    get openFiles() {
      return open.size
    },
    get byteLength() {
      return [...open].reduce((sum, file) => sum + file.byteLength, 0)
    },
    async create() {
      const file = new MemorySpillFile((closed) => open.delete(closed))
      open.add(file)
      return file
    },
  }
}

class MemorySpillFile implements SpillFile {
  /** By the position at which they begin. */
  private readonly pieces = new Map<number, Buffer>()
  byteLength = 0

  constructor(private readonly onClosed: (file: MemorySpillFile) => void) {}

  async append(data: Buffer): Promise<number> {
    const position = this.byteLength
    if (data.length > 0) this.pieces.set(position, Buffer.from(data))
    this.byteLength += data.length
    return position
  }

  async read(position: number, place: Buffer): Promise<void> {
    let filled = 0
    for (const [start, piece] of this.pieces) {
      const from = Math.max(position, start)
      const to = Math.min(position + place.length, start + piece.length)
      if (from < to) filled += piece.copy(place, from - position, from - start, to - start)
    }
    if (filled < place.length) {
      throw new StreamtoolError('STORAGE_FAILED', `${place.length} bytes at ${position} were never spilled.`)
    }
  }

  async close(): Promise<void> {
    this.pieces.clear()
    this.byteLength = 0
    this.onClosed(this)
  }
}
