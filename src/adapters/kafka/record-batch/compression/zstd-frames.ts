/**
 * Finds Zstandard frames without decoding them (RFC 8878, chapter 3), because a decoder reserves the window
 * that a frame's header asks for, which can be gigabytes in a few bytes of input.
 *
 *   magic FD2FB528 | descriptor | [window descriptor] | [dictionary id] | [content size] | blocks | [checksum]
 *   block: 3 bytes little-endian: bit 0 last, bits 1–2 type (0 raw, 1 RLE, 2 compressed), size from bit 3
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../fault.js'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const RLE = 1

export interface ZstdFrame {
  /** With header and checksum. */
  readonly bytes: Buffer
  /** What it says it becomes; null when it does not say. */
  readonly contentBytes: number | null
}

/**
 * Frames that may be skipped are left out.
 * @throws BatchFault when a frame is cut short, needs a dictionary, or wants a window or content above the limit
 */
export function findZstdFrames(bytes: Buffer, maxBytes: number): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let position = 0
  const unsigned = (byteLength: number): number => {
    if (position + byteLength > bytes.length) throw new BatchFault('zstd: cut short')
    let value = 0
    for (let i = byteLength - 1; i >= 0; i--) value = value * 256 + (bytes[position + i] ?? 0)
    position += byteLength
    return value
  }
  while (position < bytes.length) {
    const start = position
    const magic = unsigned(4)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      const skippedBytes = unsigned(4)
      position += skippedBytes
      continue
    }
    if (magic !== FRAME_MAGIC) throw new BatchFault('zstd: no frame where one must begin')
    const descriptor = unsigned(1)
    const isSingleSegment = (descriptor & 0x20) !== 0
    const windowBytes = isSingleSegment ? 0 : windowOf(unsigned(1))
    const dictionaryId = unsigned(DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3])
    if (dictionaryId !== 0) throw new BatchFault('zstd: a frame that needs a dictionary')
    const contentBytes = contentSize(descriptor >> 6, isSingleSegment, unsigned)
    if (Math.max(windowBytes, contentBytes ?? 0) > maxBytes) {
      throw new BatchFault(`it inflates to more than ${maxBytes} bytes`)
    }
    for (let isLast = false; !isLast;) {
      const block = unsigned(3)
      isLast = (block & 1) !== 0
      position += ((block >> 1) & 3) === RLE ? 1 : block >> 3
      if (position > bytes.length) throw new BatchFault('zstd: cut short')
    }
    if ((descriptor & 0x04) !== 0) unsigned(4)
    frames.push({bytes: bytes.subarray(start, position), contentBytes})
  }
  return frames
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Flag 0: one byte in a single segment, else none; 1: two bytes, counted from 256; 2: four; 3: eight. */
function contentSize(
  flag: number,
  isSingleSegment: boolean,
  unsigned: (byteLength: number) => number,
): number | null {
  if (flag === 0) return isSingleSegment ? unsigned(1) : null
  return flag === 1 ? unsigned(2) + 256 : unsigned(2 ** flag)
}
