/**
 * The done runs above a committed offset, as the text that is stored beside it:
 *
 *     "st1:" base64( deflate-raw( payload crc32 ) )
 *     payload = text(clusterId) text(topic) varint(partition) varint(base) varint(runs) { varint(gap) varint(length) }*
 *     text    = varint(bytes) bytes;  varint = unsigned LEB128;  gap counts from the end of the run before (first: base)
 *
 * A broker takes 4,096 bytes (offset.metadata.max.bytes). When the runs do not fit, the shortest are left off:
 * they cost the least to deliver again.
 */
import {crc32, deflateRawSync, inflateRawSync} from 'node:zlib'
import type {Run} from './interval-set.js'

export const MAX_METADATA_BYTES = 4096
const PREFIX = 'st1:'
/** Beyond any payload that fits deflated into a commit; a bound for what a foreign text may inflate to. */
const MAX_PAYLOAD_BYTES = 64 * 1024
/** More runs than this never fit, so they need not be tried. */
const MAX_RUNS = 16 * 1024

/** What a map belongs to. Tools copy metadata between clusters beside translated offsets; there it is foreign. */
export interface CommitScope {
  readonly clusterId: string
  readonly topic: string
  readonly partition: number
  /** The committed offset. */
  readonly base: number
}

export interface EncodedMetadata {
  readonly metadata: string
  /** Done offsets that did not fit: delivered again if this commit is the last. */
  readonly droppedOffsets: number
}

export function encodeCommitMetadata(scope: CommitScope, runs: readonly Run[]): EncodedMetadata {
  if (runs.length === 0) return {metadata: '', droppedOffsets: 0}
  const byLength = [...runs].sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start)
  const kept = (count: number) => byLength.slice(0, count).sort((a, b) => a.start - b.start)

  let fits = 0
  let text = ''
  let tooMany = Math.min(runs.length, MAX_RUNS) + 1
  // Nearly always everything fits, so that is tried first; then by halves.
  for (let count = tooMany - 1; count > fits; count = (fits + tooMany) >>> 1) {
    const candidate = encodeRuns(scope, kept(count))
    if (candidate !== null && candidate.length <= MAX_METADATA_BYTES) {
      fits = count
      text = candidate
    } else tooMany = count
  }
  const droppedOffsets = byLength.slice(fits).reduce((sum, {start, end}) => sum + end - start, 0)
  return {metadata: text, droppedOffsets}
}

/** @returns the runs, or null when the text is not ours, not of this scope, or damaged */
export function decodeCommitMetadata(scope: CommitScope, metadata: string): Run[] | null {
  if (!metadata.startsWith(PREFIX) || metadata.length > MAX_METADATA_BYTES) return null
  try {
    const bytes = inflateRawSync(Buffer.from(metadata.slice(PREFIX.length), 'base64'), {
      maxOutputLength: MAX_PAYLOAD_BYTES,
    })
    const payload = bytes.subarray(0, -4)
    if (bytes.length < 4 || crc32(payload) !== bytes.readUInt32BE(bytes.length - 4)) return null
    return readRuns(new PayloadReader(payload), scope)
  } catch {
    // zlib and the reader throw on damage; what cannot be read is ignored, see index.ts.
    return null
  }
}

/** @returns null when it would be too long to be read back */
function encodeRuns(scope: CommitScope, runs: readonly Run[]): string | null {
  const bytes: number[] = []
  const varint = (value: number) => {
    let rest = value
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    bytes.push(rest)
  }
  const text = (value: string) => {
    const utf8 = Buffer.from(value)
    varint(utf8.length)
    bytes.push(...utf8)
  }
  text(scope.clusterId)
  text(scope.topic)
  varint(scope.partition)
  varint(scope.base)
  varint(runs.length)
  let previousEnd = scope.base
  for (const {start, end} of runs) {
    varint(start - previousEnd)
    varint(end - start)
    previousEnd = end
  }
  // A reader inflates no more than this.
  if (bytes.length + 4 > MAX_PAYLOAD_BYTES) return null
  const payload = Buffer.from(bytes)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(payload))
  return PREFIX + deflateRawSync(Buffer.concat([payload, checksum]), {level: 9}).toString('base64')
}

function readRuns(reader: PayloadReader, scope: CommitScope): Run[] | null {
  const ours =
    reader.text() === scope.clusterId &&
    reader.text() === scope.topic &&
    reader.varint() === scope.partition &&
    reader.varint() === scope.base
  if (!ours) return null
  const runs: Run[] = []
  let previousEnd = scope.base
  for (let left = reader.varint(); left > 0; left--) {
    const start = previousEnd + reader.varint()
    previousEnd = start + reader.varint()
    if (previousEnd <= start || !Number.isSafeInteger(previousEnd)) return null
    runs.push({start, end: previousEnd})
  }
  return reader.atEnd ? runs : null
}

class PayloadReader {
  private position = 0
  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.position === this.bytes.length
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes.readUInt8(this.position++)
      value += (byte & 0x7f) * scale
      if (!Number.isSafeInteger(value)) throw new RangeError('varint')
      if (byte < 0x80) return value
    }
  }

  text(): string {
    const byteLength = this.varint()
    const start = this.position
    this.position += byteLength
    if (this.position > this.bytes.length) throw new RangeError('text')
    return this.bytes.toString('utf8', start, this.position)
  }
}
