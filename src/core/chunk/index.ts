/**
 * The chunk: one piece of one file, carried by one Kafka record.
 *
 * A file of n bytes becomes ceil(n / chunkBytes) chunks (one, empty, when n = 0). Each carries the file's path,
 * the SHA-512 of the whole file and of itself, its place (1-based index, byte offset) and the number of chunks,
 * so any chunk alone says which file it belongs to and whether it is intact. Key and value are OpenMSIStream's,
 * byte for byte; what streamtool adds travels in record headers, which others ignore and reading never needs.
 *
 * The decoder is a security boundary. For any input it either returns a chunk of which every field has been
 * checked (types, ranges, UTF-8, hash of the data, a path that stays below its root) or names, by a code, why
 * not. It never throws, never reads past the value, and allocates nothing in proportion to a number it was told:
 * a chunk's data is a view into the record.
 */
export {type Chunk, type ChunkHeaders, type FileIdentityOnWire, chunkPath} from './chunk.js'
export {chunkHash, chunkHashAside} from './chunk-hash.js'
export {decodeChunk, decodeChunkAside, type DecodedChunk} from './decode.js'
export {encodeChunk, type WireFormat} from './encode.js'
export {FileDigest} from './file-digest.js'
export {HEADER, decodeHeaders, encodeHeaders} from './headers.js'
export {checkPath, joinWirePath, splitWirePath} from './paths.js'
export {partitionForPath} from './partitioning.js'
export {type Poison, type PoisonCode, POISON_CODES} from './poison.js'
export {recordBytesUpperBound, RECORD_BATCH_HEADER_BYTES} from './record-size.js'
export {type SplitPlan, splitPlan} from './split-plan.js'
export {newUploadId, uploadStartMs} from './upload-id.js'
