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

const CODECS: Readonly<Record<number, () => Promise<Decompress>>> = {
  1: async () => (await import('./gzip.js')).gunzip,
  2: async () => (await import('./snappy.js')).unsnappy,
  3: async () => (await import('./lz4.js')).unlz4,
  4: async () => (await import('./zstd.js')).unzstd,
}

/** @throws BatchFault, UnknownCodec */
export async function decompress(codec: number, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (codec === 0) return bytes
  const load = CODECS[codec]
  if (load === undefined) throw new UnknownCodec(`codec ${codec}`)
  const decompressor = await load()
  return decompressor(bytes, maxBytes)
}

/** As Kafka's `compression.type` names them. */
export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd'

interface WritingCodec {
  /** In the batch's attributes. */
  readonly number: number
  readonly load: () => Promise<Compress>
}

export const WRITING_CODECS: Readonly<Record<Codec, WritingCodec>> = {
  gzip: {number: 1, load: async () => (await import('./gzip.js')).gzip},
  snappy: {number: 2, load: async () => (await import('./snappy.js')).snappy},
  lz4: {number: 3, load: async () => (await import('./lz4.js')).lz4},
  zstd: {number: 4, load: async () => (await import('./zstd.js')).zstd},
}

/** Zstandard is written by Node's own only, from 22.15 on. */
export const canWrite = (codec: Codec): boolean => codec !== 'zstd' || 'zstdCompress' in zlib
