/**
 * Zstandard: Node's own where it has one (22.15 and later), else the reference implementation in WebAssembly. Frame by
 * frame, into no more room than the limit leaves.
 */
import {Buffer} from 'node:buffer'
import {promisify} from 'node:util'
import zlib from 'node:zlib'
import {BatchFault} from '../fault.js'
import type {Decompress} from './index.js'
import {findZstdFrames} from './zstd-frames.js'
import type {ZstdFrame} from './zstd-frames.js'

type FrameDecoder = (frame: ZstdFrame, maxBytes: number) => Promise<Buffer>
type NativeZstd = (
  bytes: Buffer,
  options: {maxOutputLength: number},
  done: (error: Error | null, result: Buffer) => void,
) => void

const native = (zlib as {zstdDecompress?: NativeZstd}).zstdDecompress

export const unzstd: Decompress = (bytes, maxBytes) =>
  decodeFrames(bytes, maxBytes, native === undefined ? decodeInWasm : decodeNatively(native))

/** Whatever Node has; for tests. */
export const unzstdInWasm: Decompress = (bytes, maxBytes) => decodeFrames(bytes, maxBytes, decodeInWasm)

async function decodeFrames(bytes: Buffer, maxBytes: number, decode: FrameDecoder): Promise<Buffer> {
  const contents: Buffer[] = []
  let byteLength = 0
  for (const frame of findZstdFrames(bytes, maxBytes)) {
    const content = await decode(frame, maxBytes - byteLength)
    if (frame.contentBytes !== null && content.length !== frame.contentBytes) {
      throw new BatchFault(`zstd: ${content.length} bytes instead of ${frame.contentBytes}`)
    }
    byteLength += content.length
    contents.push(content)
  }
  return contents.length === 1 ? (contents[0] ?? Buffer.alloc(0)) : Buffer.concat(contents, byteLength)
}

const decodeNatively = (decompress: NativeZstd): FrameDecoder => {
  const asPromised = promisify<Buffer, {maxOutputLength: number}, Buffer>(decompress)
  return async ({bytes}, maxBytes) => {
    try {
      return await asPromised(bytes, {maxOutputLength: Math.max(1, maxBytes)})
    } catch (error) {
      throw new BatchFault(`zstd: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

const FIRST_GUESS_BYTES = 1024 * 1024
const TYPICAL_RATIO = 8

/**
 * The room must be given beforehand, and a frame need not tell how much it takes: then it is tried with more until
 * some is left. An error makes the content shorter, which whoever parses it notices.
 */
const decodeInWasm: FrameDecoder = async ({bytes, contentBytes}, maxBytes) => {
  const {Zstd} = await import('@hpcc-js/wasm-zstd')
  const zstd = await Zstd.load()
  const guess = contentBytes ?? Math.max(FIRST_GUESS_BYTES, bytes.length * TYPICAL_RATIO)
  // One more than needed tells a full room from one that was too small.
  for (let room = Math.min(guess, maxBytes) + 1; ; room = Math.min(room * 4, maxBytes + 1)) {
    zstd.reset()
    const content = zstd.decompressChunk(bytes, room)
    if (content.length < room) return Buffer.from(content.buffer, content.byteOffset, content.length)
    if (room > maxBytes) throw new BatchFault(`it inflates to more than ${maxBytes} bytes`)
  }
}
