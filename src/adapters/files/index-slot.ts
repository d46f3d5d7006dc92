/**
 * One entry of the delivered index: which generation of one path was delivered last. 128 bytes, big-endian:
 *
 *       0 u32   check: FNV-1a of bytes 4..128
 *       4 i32   partition
 *       8 16 B  path      the first 16 bytes of the SHA-256 of the path
 *      24 16 B  topic     likewise
 *      40 16 B  upload id a UUID's own bytes, anything else likewise; zeros without one
 *      56 32 B  content   the first 32 bytes of the file's SHA-512
 *      88 f64   offset
 *      96 f64   record time, ms since the epoch; -1: none
 *     104 f64   file time, ms since the epoch; NaN: none
 *     112 f64   size, bytes
 *     120 u16   copy: 0 under its own name, n as `name (n).ext`
 *     122 6 B   zeros
 *
 * A slot that was being written when the machine died fails its check.
 */
import {hash} from 'node:crypto'
import type {GenerationOrder, IncomingFile} from '../../core/ports/index.js'

export const SLOT_BYTES = 128
const HASH_BYTES = 16
/** So many of a SHA-512 are kept. */
export const CONTENT_BYTES = 32
const INTENT = Buffer.from('intent\0')
const NO_UPLOAD = Buffer.alloc(HASH_BYTES)
const PATH_AT = 8
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Of each hash only so many bytes count as a slot has room for. */
export interface Delivered {
  readonly pathHash: Buffer
  readonly topicHash: Buffer
  readonly uploadHash: Buffer
  readonly content: Buffer
  readonly order: GenerationOrder
  readonly sizeBytes: number
  /** Under which name it lies: 0 is its own, another number that of a copy (place-unless-taken.ts). */
  readonly copy: number
}

export function deliveredEntry(file: IncomingFile, sizeBytes: number): Delivered {
  return {
    pathHash: hashOf(file.path),
    topicHash: topicHashOf(file.topic),
    uploadHash: file.uploadId === null ? NO_UPLOAD : uploadHashOf(file.uploadId),
    content: file.sha512,
    order: file.order,
    sizeBytes,
    copy: 0,
  }
}

/** The same under another key: what is about to be delivered, written down before the step. */
export function intended(entry: Delivered): Delivered {
  return {...entry, pathHash: intentHashOf(entry.pathHash)}
}

export function isSameTopic(a: Delivered, b: Delivered): boolean {
  return startsAlike(a.topicHash, b.topicHash, HASH_BYTES)
}

export function isSameGeneration(a: Delivered, b: Delivered): boolean {
  return (
    startsAlike(a.content, b.content, CONTENT_BYTES) &&
    startsAlike(a.uploadHash, b.uploadHash, HASH_BYTES) &&
    isSameTopic(a, b)
  )
}

export function encodeSlot(entry: Delivered): Buffer {
  const slot = Buffer.allocUnsafe(SLOT_BYTES).fill(0)
  slot.writeInt32BE(entry.order.partition, 4)
  entry.pathHash.copy(slot, PATH_AT, 0, HASH_BYTES)
  entry.topicHash.copy(slot, 24, 0, HASH_BYTES)
  entry.uploadHash.copy(slot, 40, 0, HASH_BYTES)
  entry.content.copy(slot, 56, 0, CONTENT_BYTES)
  slot.writeDoubleBE(entry.order.offset, 88)
  slot.writeDoubleBE(entry.order.timestampMs, 96)
  slot.writeDoubleBE(entry.order.mtimeMs ?? NaN, 104)
  slot.writeDoubleBE(entry.sizeBytes, 112)
  slot.writeUInt16BE(entry.copy, 120)
  slot.writeUInt32BE(checkOf(slot), 0)
  return slot
}

/** @returns null when there is none */
export function decodeSlot(slot: Buffer): Delivered | null {
  if (slot.length !== SLOT_BYTES || checkOf(slot) !== slot.readUInt32BE(0)) return null
  const mtimeMs = slot.readDoubleBE(104)
  return {
    pathHash: slot.subarray(PATH_AT, 24),
    topicHash: slot.subarray(24, 40),
    uploadHash: slot.subarray(40, 56),
    content: slot.subarray(56, 88),
    order: {
      partition: slot.readInt32BE(4),
      offset: slot.readDoubleBE(88),
      timestampMs: slot.readDoubleBE(96),
      mtimeMs: Number.isNaN(mtimeMs) ? null : mtimeMs,
    },
    sizeBytes: slot.readDoubleBE(112),
    copy: slot.readUInt16BE(120),
  }
}

/**
 * Whether the slot at this position belongs to the path, or to none. Not checked otherwise: a slot that was cut short
 * still belongs to its path. (Without views and calls into the runtime: this looks at 32 slots per delivered file.)
 */
export function isSlotFor(page: Buffer, position: number, pathHash: Buffer): boolean {
  let isFree = true
  let isSame = true
  for (let i = 0; i < HASH_BYTES; i += 1) {
    const byte = page[position + PATH_AT + i]
    if (byte !== 0) isFree = false
    if (byte !== pathHash[i]) isSame = false
    if (!isFree && !isSame) return false
  }
  return true
}

let lastTopic = {name: '', hash: hashOf('')}

function topicHashOf(name: string): Buffer {
  if (name !== lastTopic.name) lastTopic = {name, hash: hashOf(name)}
  return lastTopic.hash
}

/** An upload id is a UUID: 16 bytes, and random enough. Anything else is hashed. */
function uploadHashOf(uploadId: string): Buffer {
  return UUID.test(uploadId) ? Buffer.from(uploadId.replaceAll('-', ''), 'hex') : hashOf(uploadId)
}

function intentHashOf(pathHash: Buffer): Buffer {
  return hash('sha256', Buffer.concat([INTENT, pathHash.subarray(0, HASH_BYTES)]), 'buffer')
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function startsAlike(a: Buffer, b: Buffer, byteLength: number): boolean {
  return a.subarray(0, byteLength).equals(b.subarray(0, byteLength))
}

/** FNV-1a, 32 bits: finds a slot that was cut short, which is all it is for. */
function checkOf(slot: Buffer): number {
  let hash = 0x811c9dc5
  for (let i = 4; i < SLOT_BYTES; i += 1) hash = Math.imul(hash ^ (slot[i] ?? 0), 0x01000193)
  return hash >>> 0
}
