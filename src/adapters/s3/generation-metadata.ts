/**
 * What an object says of itself: user metadata (`x-amz-meta-…`), written with the object and read back by HEAD.
 *
 *     streamtool    1, the version of these fields
 *     source-path   path on the topic, percent-encoded (metadata is ASCII); its SHA-256 when it is too long
 *     sha512        of the content, hexadecimal
 *     sha256        likewise, when it is asked for and the object is sent in one piece
 *     topic         percent-encoded
 *     partition, offset, record-time (ms)   of the first record: how new it is (core/reassembly/generation-order.ts)
 *     mtime         of the file, ms since the epoch
 *     upload-id     of the upload to the topic
 *     size          bytes
 *     write-id      of the attempt that made it: tells a writer whose reply was lost whether it was its own
 *
 * and what the user and the uploader added. A store takes 2 KB of names and values together: what was added goes first.
 *
 * An earlier record of a generation may arrive after a multipart upload was begun with these: then the object seems
 * newer than it is by the time that its own chunks took, which no upload that came after it is.
 */
import {createHash} from 'node:crypto'
import type {GenerationOrder, IncomingFile} from '../../core/ports/index.js'

export interface HeldGeneration {
  readonly path: string
  readonly topic: string
  readonly sha512: string
  readonly uploadId: string | null
  readonly order: GenerationOrder
  readonly sizeBytes: number
  readonly writeId: string | null
}

const VERSION = '1'
const MOST_BYTES = 2048
/** Of values of our own; a longer path is told by its hash. */
const LONGEST_VALUE = 1024

type Metadata = Readonly<Record<string, string>>

/** The same text for the same path, whatever its length. */
export function pathText(path: string): string {
  const text = encodeURI(path)
  return text.length <= LONGEST_VALUE ? text : `sha256:${createHash('sha256').update(path).digest('hex')}`
}

interface OwnFacts {
  /** Null while it is not known. */
  readonly sizeBytes: number | null
  /** Null when it is not known, or not asked for. */
  readonly sha256: string | null
  readonly writeId: string
}

export function metadataOf(
  file: IncomingFile,
  {sizeBytes, sha256, writeId}: OwnFacts,
  added: Metadata,
): Metadata {
  const {partition, offset, timestampMs} = file.order
  const own: Metadata = {
    streamtool: VERSION,
    'source-path': pathText(file.path),
    sha512: file.sha512.toString('hex'),
    topic: encodeURI(file.topic),
    partition: String(partition),
    offset: String(offset),
    'record-time': String(timestampMs),
    'write-id': writeId,
    ...(file.mtimeMs === null ? {} : {mtime: String(file.mtimeMs)}),
    ...(file.uploadId === null ? {} : {'upload-id': file.uploadId}),
    ...(sizeBytes === null ? {} : {size: String(sizeBytes)}),
    ...(sha256 === null ? {} : {sha256}),
  }
  const all: Record<string, string> = {...own}
  let bytes = byteLength(own)
  for (const [name, value] of [...Object.entries(added), ...Object.entries(file.metadata)]) {
    const key = name.toLowerCase()
    if (Object.hasOwn(all, key) || !isName(key) || key.startsWith('content-')) continue
    const text = encoded(value)
    const more = byteLength({[key]: text})
    if (bytes + more > MOST_BYTES) continue
    bytes += more
    all[key] = text
  }
  return all
}

/** @returns null when it is none of ours */
export function generationOf(metadata: Metadata, sizeBytes: number): HeldGeneration | null {
  const {streamtool, 'source-path': path, sha512, topic, partition, offset} = metadata
  if (streamtool !== VERSION || path === undefined || sha512 === undefined || topic === undefined) return null
  const order = {
    partition: Number(partition ?? NaN),
    offset: Number(offset ?? NaN),
    timestampMs: Number(metadata['record-time'] ?? -1),
    mtimeMs: metadata['mtime'] === undefined ? null : Number(metadata['mtime']),
  }
  const isWhole = Number.isSafeInteger(order.partition) && Number.isSafeInteger(order.offset)
  if (!isWhole || !/^[0-9a-f]{128}$/.test(sha512) || Number.isNaN(order.timestampMs)) return null
  return {
    path,
    topic,
    sha512,
    uploadId: metadata['upload-id'] ?? null,
    order,
    sizeBytes,
    writeId: metadata['write-id'] ?? null,
  }
}

export function heldAs(file: IncomingFile, sizeBytes: number): HeldGeneration {
  return {
    path: pathText(file.path),
    topic: encodeURI(file.topic),
    sha512: file.sha512.toString('hex'),
    uploadId: file.uploadId,
    order: file.order,
    sizeBytes,
    writeId: null,
  }
}

export function isSameGeneration(a: HeldGeneration, b: HeldGeneration): boolean {
  return a.topic === b.topic && a.uploadId === b.uploadId && a.sha512 === b.sha512 && a.path === b.path
}

/** How much the user's own may take, so that ours always has its place. */
export const MOST_ADDED_BYTES = 512

export function byteLength(metadata: Metadata): number {
  return Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
}

/** As the name of a header may be. */
const isName = (name: string): boolean => /^[a-z0-9._-]{1,100}$/.test(name)

/** Text in ASCII stays as it is, unless spaces at its ends would be lost on the way. */
function encoded(value: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)
  return isPlain ? value : encodeURIComponent(value.toWellFormed())
}
