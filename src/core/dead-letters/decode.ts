import {type IntervalSet, parseRuns} from '../offsets/index.js'
import type {ConsumedRecord, RecordHeader} from '../record.js'
import {type DeadLetter, LETTER_HEADER, LETTER_VERSION, type LetterCause, type ParkedFile} from './letter.js'

/** Of what is read of these headers, each. */
const MAX_HEADER_BYTES = 4096
const MAX_LETTER_BYTES = 8 * 1024 * 1024
/** Kafka's own limit. */
const MAX_TOPIC_LENGTH = 249
const NATURAL = /^(0|[1-9]\d{0,15})$/
const SHA512_HEX = /^[0-9a-f]{128}$/

/** @returns null when the record is no letter of ours, or says what cannot be */
export function decodeLetter(record: Pick<ConsumedRecord, 'value' | 'headers'>): DeadLetter | null {
  const headers = lastByKey(record.headers)
  if (headers.get(LETTER_HEADER.version) !== LETTER_VERSION) return null
  const cause = {
    code: headers.get(LETTER_HEADER.code) ?? '',
    reason: headers.get(LETTER_HEADER.reason) ?? '',
    group: headers.get(LETTER_HEADER.group) ?? '',
  }
  const kind = headers.get(LETTER_HEADER.kind)
  if (kind === 'file') return parkedFile(record.value, cause)
  if (kind !== 'record' && kind !== 'reference') return null
  const topic = headers.get(LETTER_HEADER.topic)
  const partition = natural(headers.get(LETTER_HEADER.partition))
  const offset = natural(headers.get(LETTER_HEADER.offset))
  if (!isTopic(topic) || partition === null || offset === null) return null
  return {kind: 'record', cause, origin: {topic, partition, offset}, isCopy: kind === 'record'}
}

function parkedFile(value: Buffer | null, cause: LetterCause): ParkedFile | null {
  if (value === null || value.length > MAX_LETTER_BYTES) return null
  const json = parsed(value.toString('utf8'))
  if (!isObject(json) || json['schema'] !== 1) return null
  const {topic, path, sha512, uploadId, chunkCount, missingChunks} = json
  const records = recordsByPartition(json['records'])
  if (!isTopic(topic) || typeof path !== 'string' || records === null) return null
  if (typeof sha512 !== 'string' || !SHA512_HEX.test(sha512)) return null
  if (uploadId !== null && typeof uploadId !== 'string') return null
  if (typeof chunkCount !== 'number' || !Number.isSafeInteger(chunkCount) || chunkCount < 1) return null
  if (typeof missingChunks !== 'string') return null
  return {kind: 'file', cause, topic, path, sha512, uploadId, chunkCount, missingChunks, records}
}

function recordsByPartition(json: unknown): Map<number, IntervalSet> | null {
  if (!isObject(json)) return null
  const records = new Map<number, IntervalSet>()
  for (const [key, text] of Object.entries(json)) {
    const partition = natural(key)
    const offsets = typeof text === 'string' ? parseRuns(text) : null
    if (partition === null || offsets === null) return null
    records.set(partition, offsets)
  }
  return records
}

function lastByKey(headers: readonly RecordHeader[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const {key, value} of headers) {
    if (value === null || value.length > MAX_HEADER_BYTES || !key.startsWith(LETTER_HEADER.version)) continue
    texts.set(key, value.toString('utf8'))
  }
  return texts
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTopic = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_TOPIC_LENGTH

const natural = (text: string | undefined): number | null =>
  text !== undefined && NATURAL.test(text) ? Number(text) : null
