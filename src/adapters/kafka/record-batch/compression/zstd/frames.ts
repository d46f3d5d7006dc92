/**
 * Takes Zstandard frames apart without decoding them (RFC 8878, 3.1):
 *
 *   magic FD2FB528 | descriptor | [window descriptor] | [dictionary id] | [content size] | blocks | [checksum]
 *   block: 3 bytes little-endian: bit 0 last, bits 1–2 type (0 raw, 1 RLE, 2 compressed), size from bit 3
 */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const RLE = 1

export interface ZstdFrame {
  /** With header and checksum. */
  readonly bytes: Buffer
  /** What it says it becomes; null when it does not say. */
  readonly contentBytes: number | null
  readonly blocks: readonly ZstdBlock[]
}

export interface ZstdBlock {
  readonly type: number
  /** What the header says: of the bytes, or, repeated, of what they become. */
  readonly size: number
  readonly bytes: Buffer
}

/**
 * Frames that may be skipped are left out. A window or content above the limit is refused here, because it may be
 * gigabytes in a few bytes of input.
 * @throws BatchFault
 */
export function findZstdFrames(bytes: Buffer, maxBytes: number): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let position = 0
  const take = (byteLength: number): Buffer => {
    if (position + byteLength > bytes.length) throw new BatchFault('zstd: cut short')
    return bytes.subarray(position, (position += byteLength))
  }
  const unsigned = (byteLength: number): number =>
    take(byteLength).reduceRight((value, byte) => value * 256 + byte, 0)
  while (position < bytes.length) {
    const start = position
    const magic = unsigned(4)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      take(unsigned(4))
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
    const blocks: ZstdBlock[] = []
    for (let isLast = false; !isLast;) {
      const header = unsigned(3)
      isLast = (header & 1) !== 0
      const [type, size] = [(header >> 1) & 3, header >> 3]
      blocks.push({type, size, bytes: take(type === RLE ? 1 : size)})
    }
    if ((descriptor & 0x04) !== 0) unsigned(4)
    frames.push({bytes: bytes.subarray(start, position), contentBytes, blocks})
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
