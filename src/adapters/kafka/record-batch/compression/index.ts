/**
 * Undoes a batch's compression, within a limit that holds before memory is reserved. The codecs are by number in
 * the batch's attributes; each is loaded when the first batch that uses it arrives.
 */
import type {Buffer} from 'node:buffer'
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
