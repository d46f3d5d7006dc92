/** From a record to a checked chunk, or to the reason why it is none. */
import {isUtf8} from 'node:buffer'
import type {ConsumedRecord} from '../record.js'
import {type Chunk, type ChunkHeaders, chunkPath} from './chunk.js'
import {chunkHash, chunkHashAside} from './chunk-hash.js'
import {decodeHeaders} from './headers.js'
import {MalformedValue, MsgpackReader} from './msgpack.js'
import {checkPath} from './paths.js'
import {type Poison, poison} from './poison.js'

const SHA512_BYTES = 64

export interface DecodedChunk {
  readonly chunk: Chunk
  readonly headers: ChunkHeaders
  /** Where the rebuilt file goes, below its root. */
  readonly path: string
}

type Verdict = DecodedChunk | Poison

/** Never throws, whatever the record holds. */
export function decodeChunk(record: Pick<ConsumedRecord, 'value' | 'headers'>): Verdict {
  const parsed = parseChunk(record)
  return 'poison' in parsed ? parsed : judge(parsed, chunkHash(parsed.chunk.data))
}

/** The same, with the hash of a large chunk computed on another thread. Never rejects. */
export function decodeChunkAside(
  record: Pick<ConsumedRecord, 'value' | 'headers'>,
): Verdict | Promise<Verdict> {
  const parsed = parseChunk(record)
  if ('poison' in parsed) return parsed
  const hash = chunkHashAside(parsed.chunk.data)
  return hash instanceof Promise ? hash.then((actual) => judge(parsed, actual)) : judge(parsed, hash)
}

function judge(parsed: DecodedChunk, actual: Buffer): Verdict {
  const {chunkSha512, index, count} = parsed.chunk
  return actual.equals(chunkSha512) ? parsed : poison('CHUNK_HASH_MISMATCH', `chunk ${index} of ${count}`)
}

/** All but the hash of the data. */
function parseChunk(record: Pick<ConsumedRecord, 'value' | 'headers'>): Verdict {
  if (record.value === null) return poison('NO_VALUE')
  // KafkaCrypto's ciphertext: 0x01, then a msgpack array of three.
  if (record.value[0] === 0x01 && record.value[1] === 0x93) return poison('ENCRYPTED')
  try {
    const chunk = readChunk(record.value)
    const path = chunkPath(chunk)
    return checkChunk(chunk, path) ?? {chunk, path, headers: decodeHeaders(record.headers)}
  } catch (thrown) {
    if (thrown instanceof MalformedValue) return poison(thrown.code, thrown.particulars)
    throw thrown
  }
}

/**
 * The value, as OpenMSIStream packs it:
 *
 *     array(9 or 10)
 *     0 name            str     base name
 *     1 file SHA-512    bin 64
 *     2 chunk SHA-512   bin 64
 *     3 offset          uint    of the data in the rebuilt file
 *     4 index           uint    1-based
 *     5 count           uint
 *     6 subdir          str     '' at the root
 *     7 name append     str     goes before the suffix
 *     8 data            bin
 *     9 mtime           float64 seconds; 0 = unknown; absent before 2026-04
 */
function readChunk(value: Buffer): Chunk {
  const reader = new MsgpackReader(value)
  const length = reader.arrayHeader()
  if (length !== 9 && length !== 10) throw new MalformedValue('WRONG_LENGTH', `it has ${length}`)
  const chunk = {
    wireName: utf8(reader.bytesOrText('name'), 'name'),
    sha512: sha512(reader.bytesOrText('file hash'), 'file hash'),
    chunkSha512: sha512(reader.bytesOrText('chunk hash'), 'chunk hash'),
    offsetBytes: reader.integer('offset'),
    index: reader.integer('index'),
    count: reader.integer('count'),
    subdir: utf8(reader.bytesOrText('subdir'), 'subdir'),
    nameAppend: utf8(reader.bytesOrText('name append'), 'name append'),
    data: reader.bytesOrText('data'),
    mtimeSeconds: length === 10 ? knownTime(reader.float('mtime')) : null,
  }
  if (reader.remaining > 0) throw new MalformedValue('TRAILING_BYTES', `${reader.remaining} of them`)
  return chunk
}

function checkChunk(chunk: Chunk, path: string): Poison | null {
  const badPath =
    chunk.wireName.includes('/') || chunk.nameAppend.includes('/')
      ? 'the name contains a separator'
      : chunk.wireName === ''
        ? 'the name is empty'
        : checkPath(path)
  if (badPath !== null) return poison('BAD_PATH', badPath)

  const {index, count, offsetBytes, data} = chunk
  if (count < 1) return poison('BAD_RANGE', 'the file has no chunks')
  if (index < 1 || index > count) return poison('BAD_RANGE', `index ${index} of ${count}`)
  if (!Number.isSafeInteger(offsetBytes + data.length)) return poison('BAD_RANGE', `offset ${offsetBytes}`)
  if (index === 1 && offsetBytes !== 0)
    return poison('INCONSISTENT', `the first chunk is at offset ${offsetBytes}`)
  if (data.length === 0 && count > 1) return poison('INCONSISTENT', 'an empty chunk among several')
  // Every chunk before this one has at least one byte.
  if (offsetBytes < index - 1) return poison('INCONSISTENT', `chunk ${index} is at offset ${offsetBytes}`)
  return null
}

function utf8(bytes: Buffer, field: string): string {
  if (!isUtf8(bytes)) throw new MalformedValue('NOT_UTF8', field)
  return bytes.toString('utf8')
}

function sha512(bytes: Buffer, field: string): Buffer {
  if (bytes.length !== SHA512_BYTES)
    throw new MalformedValue('BAD_HASH', `${field} has ${bytes.length} bytes`)
  // Copied: it outlives the record, and the fetch answer that a view would be of.
  return Buffer.from(bytes)
}

function knownTime(seconds: number): number | null {
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null
}
