/**
 * Zstandard: Node's own where it has one (22.15 and later), else read here, because the packages for it either do not
 * run everywhere, can be made to run for ever, or have no limit on their output.
 */
import {Buffer} from 'node:buffer'
import {promisify} from 'node:util'
import zlib from 'node:zlib'
import {BatchFault} from '../fault.js'
import type {Compress} from './compress.js'
import type {Decompress} from './decompress.js'
import {BoundedOutput} from './output.js'
import {decodeZstdFrame} from './zstd/decode-frame.js'
import {findZstdFrames} from './zstd/frames.js'

type NativeZstd = (
  bytes: Buffer,
  options: {maxOutputLength: number},
  done: (error: Error | null, result: Buffer) => void,
) => void

type NativeCompress = (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void

const native = (zlib as {zstdDecompress?: NativeZstd}).zstdDecompress
const nativeCompress = (zlib as {zstdCompress?: NativeCompress}).zstdCompress
/** Typical of what compresses at all; only a first guess. */
const EXPECTED_RATIO = 4

export const unzstd: Decompress = (bytes, maxBytes) =>
  native === undefined ? unzstdHere(bytes, maxBytes) : unzstdNatively(native, bytes, maxBytes)

export const unzstdHere = (bytes: Buffer, maxBytes: number): Buffer => {
  const frames = findZstdFrames(bytes, maxBytes)
  const told = frames.reduce((sum, frame) => sum + (frame.contentBytes ?? 0), 0)
  const output = new BoundedOutput(maxBytes, Math.min(told, maxBytes) || bytes.length * EXPECTED_RATIO)
  for (const frame of frames) {
    const start = output.length
    decodeZstdFrame(frame, output)
    if (frame.contentBytes !== null && output.length - start !== frame.contentBytes) {
      throw new BatchFault(`zstd: ${output.length - start} bytes where ${frame.contentBytes} were announced`)
    }
  }
  return output.finish()
}

async function unzstdNatively(decompress: NativeZstd, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const decompressFrame = promisify<Buffer, {maxOutputLength: number}, Buffer>(decompress)
  const contents: Buffer[] = []
  let leftBytes = maxBytes
  for (const frame of findZstdFrames(bytes, maxBytes)) {
    try {
      const content = await decompressFrame(frame.bytes, {maxOutputLength: Math.max(1, leftBytes)})
      leftBytes -= content.length
      contents.push(content)
    } catch (error) {
      throw new BatchFault(`zstd: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return Buffer.concat(contents)
}

export const zstd: Compress = (bytes) => {
  if (nativeCompress === undefined) throw new Error('this Node cannot write zstd')
  return promisify<Buffer, Buffer>(nativeCompress)(bytes)
}
