/**
 * How a file is cut into parts. A store takes 10,000 parts of an object, each of 5 MiB at least but the last, and one
 * PutObject of up to 5 GB; so the parts grow with the file:
 *
 *     up to one part     PutObject
 *     else               parts of the size that is wanted, or of 1/10,000 of the file, up to whole MiB
 */
import {StreamtoolError} from '../../core/errors.js'

const MIB = 1 << 20
export const SMALLEST_PART_BYTES = 5 * MIB
export const LARGEST_PART_BYTES = 5 * 1024 * MIB
export const MOST_PARTS = 10_000

/**
 * @param mostBytes that the file can have; its size when that is known
 * @throws OBJECT_REFUSED when it cannot be stored in parts of the largest size
 */
export function partBytesFor(mostBytes: number, wantedBytes: number): number {
  const needed = Math.ceil(Math.ceil(mostBytes / MOST_PARTS) / MIB) * MIB
  const partBytes = Math.max(wantedBytes, needed)
  if (partBytes <= LARGEST_PART_BYTES) return partBytes
  throw new StreamtoolError('OBJECT_REFUSED', `A file of ${mostBytes} bytes is too large for an object.`)
}

/** @returns an upper bound of the file's size, from its first chunk: they are all as long, but the last */
export function mostBytesOf(
  {sizeBytes, chunkCount}: {readonly sizeBytes: number | null; readonly chunkCount: number},
  firstChunkBytes: number,
): number {
  // What a header says is only as good as its writer: parts must suffice for what comes.
  return Math.max(sizeBytes ?? 0, chunkCount * firstChunkBytes)
}
