/** The bytes of objects and parts: files that are written once, under names of our own, and never changed. */
import {randomUUID} from 'node:crypto'
import {mkdirSync, readdirSync, rmSync} from 'node:fs'
import {constants, copyFile, link, open, rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {Segment} from './records.js'

const READ_BYTES = 256 * 1024

export class DataFiles {
  readonly #dir: string
  /** A file that is removed while it is read goes when the last reader has. */
  readonly #readers = new Map<string, number>()
  readonly #doomed = new Set<string>()

  constructor(dir: string) {
    this.#dir = dir
    mkdirSync(dir, {recursive: true})
  }

  /** Leaves no file behind when it fails. */
  async write(bytes: AsyncIterable<Buffer>): Promise<Segment> {
    const file = randomUUID()
    const handle = await open(join(this.#dir, file), 'wx')
    let size = 0
    try {
      try {
        for await (const data of bytes) {
          await handle.appendFile(data)
          size += data.length
        }
      } finally {
        await handle.close()
      }
    } catch (thrown) {
      await this.remove([file])
      throw thrown
    }
    return {file, size}
  }

  /** The bytes from `start` to before `end` of all segments together. */
  async *read(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Buffer> {
    const files = segments.map(({file}) => file)
    this.#hold(files)
    try {
      let segmentStart = 0
      for (const segment of segments) {
        const from = Math.max(start - segmentStart, 0)
        const to = Math.min(end - segmentStart, segment.size)
        segmentStart += segment.size
        if (from < to) yield* this.#readOne(segment.file, from, to)
      }
    } finally {
      await this.#release(files)
    }
  }

  /** The same bytes under a name of its own, without copying where the file system can. */
  async duplicate(segment: Segment, from: DataFiles): Promise<Segment> {
    const file = randomUUID()
    const [source, target] = [join(from.#dir, segment.file), join(this.#dir, file)]
    await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE))
    return {...segment, file}
  }

  async remove(files: readonly string[]): Promise<void> {
    for (const file of files) {
      if (this.#readers.has(file)) this.#doomed.add(file)
      else await rm(join(this.#dir, file), {force: true})
    }
  }

  /** Those that no record knows: of requests that a crash cut off. */
  removeAllBut(known: ReadonlySet<string>): void {
    for (const file of readdirSync(this.#dir)) if (!known.has(file)) rmSync(join(this.#dir, file))
  }

  async *#readOne(file: string, from: number, to: number): AsyncGenerator<Buffer> {
    const handle = await open(join(this.#dir, file), 'r')
    try {
      for (let at = from; at < to;) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at))
        const {bytesRead} = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) throw new Error(`${file} is shorter than its record says`)
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  #hold(files: readonly string[]): void {
    for (const file of files) this.#readers.set(file, (this.#readers.get(file) ?? 0) + 1)
  }

  async #release(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const others = (this.#readers.get(file) ?? 1) - 1
      if (others > 0) this.#readers.set(file, others)
      else {
        this.#readers.delete(file)
        if (this.#doomed.delete(file)) await this.remove([file])
      }
    }
  }
}
