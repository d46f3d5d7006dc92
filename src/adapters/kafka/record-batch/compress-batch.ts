/** An encoded batch with its records compressed: the header stays as it is, but for length, codec and checksum. */
import {Buffer} from 'node:buffer'
import {type Codec, CODECS} from './compression/index.js'
import {crcOf, type EncodedBatch} from './encode.js'
import {
  ATTRIBUTES_POSITION,
  CRC_POSITION,
  HEADER_BYTES,
  LENGTH_POSITION,
  LENGTH_PREFIX_BYTES,
} from './header.js'

/**
 * What does not get smaller stays uncompressed: brokers hold what is sent against the topic's max.message.bytes, so a
 * batch that was packed for it fits in either way, and one that would not fit may do so compressed.
 */
export async function compressBatch(batch: EncodedBatch, codec: Codec): Promise<EncodedBatch> {
  const {number, write} = CODECS[codec]
  const compress = await write()
  const whole = Buffer.concat(batch.buffers)
  const records = await compress(whole.subarray(HEADER_BYTES))
  const byteLength = HEADER_BYTES + records.length
  if (byteLength >= batch.byteLength) return batch
  const header = whole.subarray(0, HEADER_BYTES)
  header.writeInt32BE(byteLength - LENGTH_PREFIX_BYTES, LENGTH_POSITION)
  header.writeInt16BE(header.readInt16BE(ATTRIBUTES_POSITION) | number, ATTRIBUTES_POSITION)
  const buffers = [header, records]
  header.writeUInt32BE(crcOf(buffers), CRC_POSITION)
  return {buffers, byteLength}
}
