/** A stream made a file: every chunk carries the hash of the whole, so the whole must be there before the first. */
import {randomUUID} from 'node:crypto'
import {mkdir} from 'node:fs/promises'
import path from 'node:path'
import type {SourceFile} from '../../core/ports/index.js'
import {calls, OpenFlags, writeFully} from '../system/calls.js'
import {naming} from '../system/storage-error.js'
import {descriptorReader} from './source-file.js'

export interface StdinOptions {
  readonly stream: AsyncIterable<Uint8Array>
  /** The path under which it is sent, before a prefix. */
  readonly name: string
  /** A place for all of the stream. Nothing stays there, not even after kill -9. */
  readonly spoolDir: string
}

interface Spooled {
  readonly descriptor: number
  readonly sizeBytes: number
}

export class StdinSpool {
  private spooled: Promise<Spooled> | null = null

  constructor(private readonly options: StdinOptions) {}

  /**
   * Reads the stream to its end, the first time.
   * @throws STORAGE_FULL, STORAGE_FORBIDDEN, STORAGE_FAILED; what the stream fails with
   */
  async file(wirePath: string): Promise<SourceFile> {
    this.spooled ??= this.spool()
    const {descriptor, sizeBytes} = await this.spooled
    const reader = descriptorReader(descriptor, '-', () => Promise.resolve())
    return {path: wirePath, localPath: '-', sizeBytes, open: () => Promise.resolve(reader)}
  }

  async close(): Promise<void> {
    const spooled = await this.spooled?.catch(() => null)
    this.spooled = null
    if (spooled) await calls.close(spooled.descriptor)
  }

  private async spool(): Promise<Spooled> {
    const {stream, spoolDir} = this.options
    const descriptor = await naming('create a file in', spoolDir, () => createUnnamed(spoolDir))
    try {
      let sizeBytes = 0
      for await (const piece of stream) {
        const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
        const position = sizeBytes
        await naming('write in', spoolDir, () => writeFully(descriptor, data, position))
        sizeBytes += data.length
      }
      return {descriptor, sizeBytes}
    } catch (thrown) {
      await calls.close(descriptor)
      throw thrown
    }
  }
}

/** A file that only its descriptor leads to: it is gone when the process is. */
async function createUnnamed(directory: string): Promise<number> {
  await mkdir(directory, {recursive: true, mode: 0o700})
  const file = path.join(directory, `${randomUUID()}.stdin`)
  const descriptor = await calls.open(file, OpenFlags.createNew, 0o600)
  await calls.unlink(file)
  return descriptor
}
