/**
 * A batch's compression, and its undoing within a limit that holds before memory is reserved. The codecs are by number
 * in the batch's attributes; each is loaded when the first batch that uses it comes.
 */
import type {Buffer} from 'node:buffer'
import zlib from 'node:zlib'
import type {Compress} from './compress.js'
import type {Decompress} from './decompress.js'

export class UnknownCodec extends Error {
  override readonly name = 'UnknownCodec'
}

/** As Kafka's `compression.type` names them. */
export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd'

interface CodecEntry {
  /** In the batch's attributes. */
  readonly number: number
  readonly read: () => Promise<Decompress>
  readonly write: () => Promise<Compress>
}

export const CODECS: Readonly<Record<Codec, CodecEntry>> = {
  gzip: {
    number: 1,
    read: async () => (await import('./gzip.js')).gunzip,
    write: async () => (await import('./gzip.js')).gzip,
  },
  snappy: {
    number: 2,
    read: async () => (await import('./snappy.js')).unsnappy,
    write: async () => (await import('./snappy.js')).snappy,
  },
  lz4: {
    number: 3,
    read: async () => (await import('./lz4.js')).unlz4,
    write: async () => (await import('./lz4.js')).lz4,
  },
  zstd: {
    number: 4,
    read: async () => (await import('./zstd.js')).unzstd,
    write: async () => (await import('./zstd.js')).zstd,
  },
}

/** @throws BatchFault, UnknownCodec */
export async function decompress(codec: number, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (codec === 0) return bytes
  const entry = Object.values(CODECS).find(({number}) => number === codec)
  if (entry === undefined) throw new UnknownCodec(`codec ${codec}`)
  const decompressor = await entry.read()
  return decompressor(bytes, maxBytes)
}

/** Zstandard is written by Node's own only, from 22.15 on. */
export const canWrite = (codec: Codec): boolean => codec !== 'zstd' || 'zstdCompress' in zlib
