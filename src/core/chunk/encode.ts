/** From a chunk to the record that OpenMSIStream would have written, and our headers beside it. */
import type {OutgoingRecord} from '../record.js'
import type {Chunk, ChunkHeaders} from './chunk.js'
import {encodeHeaders} from './headers.js'
import {MsgpackWriter} from './msgpack.js'

/** `openmsistream-9` leaves the mtime out, for consumers from before April 2026. */
export type WireFormat = 'openmsistream' | 'openmsistream-9'

/** Markers, lengths, both hashes and the integers: no field is larger than this allows. */
const FIXED_BYTES = 1 + 2 * (2 + 64) + 3 * 9 + 3 * 3 + 5

/** The value is returned in pieces, so that the data is not copied: see OutgoingRecord. */
export function encodeChunk(
  chunk: Chunk,
  headers: ChunkHeaders,
  format: WireFormat = 'openmsistream',
): OutgoingRecord & {readonly value: readonly Buffer[]} {
  const withTime = format === 'openmsistream'
  const textBytes =
    Buffer.byteLength(chunk.wireName) + Buffer.byteLength(chunk.subdir) + Buffer.byteLength(chunk.nameAppend)
  const beforeData = new MsgpackWriter(FIXED_BYTES + textBytes)
    .arrayHeader(withTime ? 10 : 9)
    .text(chunk.wireName)
    .binary(chunk.sha512)
    .binary(chunk.chunkSha512)
    .integer(chunk.offsetBytes)
    .integer(chunk.index)
    .integer(chunk.count)
    .text(chunk.subdir)
    .text(chunk.nameAppend)
    .binaryHeader(chunk.data.length)
    .done()
  const value = withTime
    ? [beforeData, chunk.data, new MsgpackWriter(9).float64(chunk.mtimeSeconds ?? 0).done()]
    : [beforeData, chunk.data]
  return {key: Buffer.from(recordKey(chunk)), value, headers: encodeHeaders(headers)}
}

/** `run_01/a.txt` -> `run_01_a.txt_chunk_1_of_3`; a file at the root has a key that begins with `_`. */
function recordKey(chunk: Chunk): string {
  return `${chunk.subdir.replaceAll('/', '_')}_${chunk.wireName}_chunk_${chunk.index}_of_${chunk.count}`
}
