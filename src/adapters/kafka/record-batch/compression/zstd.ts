/** Zstandard: Node's own where it has one (22.15 and later), else a small package in plain JavaScript. */
import {Buffer} from 'node:buffer'
import {promisify} from 'node:util'
import zlib from 'node:zlib'
import {BatchFault} from '../fault.js'
import type {Decompress} from './index.js'
import {checkZstdFrames} from './zstd-frames.js'

type Done = (error: Error | null, result: Buffer) => void
type NativeZstd = (bytes: Buffer, options: {maxOutputLength: number}, done: Done) => void

const native = (zlib as {zstdDecompress?: NativeZstd}).zstdDecompress

export const unzstd: Decompress = async (bytes, maxBytes) => {
  checkZstdFrames(bytes, maxBytes)
  try {
    return native === undefined
      ? await unzstdInJavaScript(bytes, maxBytes)
      : await promisify<Buffer, {maxOutputLength: number}, Buffer>(native)(bytes, {maxOutputLength: maxBytes})
  } catch (error) {
    if (error instanceof BatchFault) throw error
    throw new BatchFault(`zstd: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** In a stream, because only that can be stopped before it has grown too large. */
export async function unzstdInJavaScript(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const {Decompress: Zstd} = await import('fzstd')
  const parts: Uint8Array[] = []
  let byteLength = 0
  const stream = new Zstd((part) => {
    byteLength += part.length
    if (byteLength > maxBytes) throw new BatchFault(`it inflates to more than ${maxBytes} bytes`)
    parts.push(part)
  })
  stream.push(bytes, true)
  return Buffer.concat(parts, byteLength)
}
