/**
 * One entry of the delivered index: which generation of one path was delivered last. 128 bytes, big-endian:
 *
 *       0 u32   check: the first 4 bytes of the SHA-256 of bytes 4..128
 *       4 i32   partition
 *       8 16 B  path      the first 16 bytes of the SHA-256 of the path
 *      24 16 B  topic     likewise
 *      40 16 B  upload id likewise; zeros without one
 *      56 32 B  content   the first 32 bytes of the file's SHA-512
 *      88 f64   offset
 *      96 f64   record time, ms since the epoch; -1: none
 *     104 f64   file time, ms since the epoch; NaN: none
 *     112 f64   size, bytes
 *     120 8 B   zeros
 *
 * A slot that was being written when the machine died fails its check.
 */
import {hash} from 'node:crypto'
import type {GenerationOrder, IncomingFile} from '../../core/ports.js'

export const SLOT_BYTES = 128
const HASH_BYTES = 16
const CONTENT_BYTES = 32
const ZEROS = Buffer.alloc(HASH_BYTES)

export interface Delivered {
  readonly pathHash: Buffer
  readonly topicHash: Buffer
  readonly uploadHash: Buffer
  readonly content: Buffer
  readonly order: GenerationOrder
  readonly sizeBytes: number
}

export function deliveredEntry(file: IncomingFile, sizeBytes: number): Delivered {
  return {
    pathHash: hashOf(file.path),
    topicHash: hashOf(file.topic),
    uploadHash: file.uploadId === null ? ZEROS : hashOf(file.uploadId),
    content: file.sha512.subarray(0, CONTENT_BYTES),
    order: file.order,
    sizeBytes,
  }
}

export function isSameGeneration(a: Delivered, b: Delivered): boolean {
  return a.content.equals(b.content) && a.uploadHash.equals(b.uploadHash) && a.topicHash.equals(b.topicHash)
}

export function encodeSlot(entry: Delivered): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES)
  slot.writeInt32BE(entry.order.partition, 4)
  entry.pathHash.copy(slot, 8)
  entry.topicHash.copy(slot, 24)
  entry.uploadHash.copy(slot, 40)
  entry.content.copy(slot, 56)
  slot.writeDoubleBE(entry.order.offset, 88)
  slot.writeDoubleBE(entry.order.timestampMs, 96)
  slot.writeDoubleBE(entry.order.mtimeMs ?? NaN, 104)
  slot.writeDoubleBE(entry.sizeBytes, 112)
  checkOf(slot).copy(slot, 0)
  return slot
}

/** @returns null when there is none */
export function decodeSlot(slot: Buffer): Delivered | null {
  if (slot.length !== SLOT_BYTES || !checkOf(slot).equals(slot.subarray(0, 4))) return null
  const mtimeMs = slot.readDoubleBE(104)
  return {
    pathHash: slot.subarray(8, 24),
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
  }
}

/** Zeros when the slot was never used. Not checked: a slot that was cut short still belongs to its path. */
export function pathHashOfSlot(slots: Buffer, position: number): Buffer {
  return slots.subarray(position + 8, position + 8 + HASH_BYTES)
}

export function isFree(pathHash: Buffer): boolean {
  return pathHash.equals(ZEROS)
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, HASH_BYTES)
}

function checkOf(slot: Buffer): Buffer {
  return hash('sha256', slot.subarray(4), 'buffer').subarray(0, 4)
}
