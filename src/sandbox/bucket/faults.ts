/**
 * What tests may do to a call, beside what the store does itself. An `Intercept` is asked twice about every call whose
 * signature is right: before anything has happened, and when it has happened and the answer is about to go out. It may
 * take its time, and returns what goes wrong, or nothing.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {OperationName} from './routes.js'
import type {Query} from './s3-request.js'

export interface Call {
  readonly operation: OperationName
  readonly phase: 'before' | 'after'
  readonly bucket: string | null
  readonly key: string | null
  readonly query: Query
  /** The how-manieth call of this operation it is, from 1. */
  readonly count: number
}

export type Fault =
  /** An `<Error>` instead of the answer. */
  | {
      readonly kind: 'error'
      readonly status: number
      readonly code: string
      readonly message?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** 200, with an `<Error>` in the body. */
  | {readonly kind: 'error-in-200'; readonly code: string; readonly message?: string}
  /** The connection is reset. */
  | {readonly kind: 'reset'}
  /** No answer, on a connection that stays. */
  | {readonly kind: 'silence'}
  /** The answer is cut in the middle, of its body or, when it has none, of its head. */
  | {readonly kind: 'truncated'}
  /** Before the call, its body is read at this speed; after it, the body of the answer is written so. */
  | {readonly kind: 'slow'; readonly bytesPerSecond: number}
  /** Before the call: a bit of its body is flipped, as if on the way. */
  | {readonly kind: 'corrupted'}

export type Intercept = (call: Call) => Fault | undefined | Promise<Fault | undefined>

/** What becomes of bytes on their way through, in either direction. */
export type Passage = (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>

export function slowly(bytesPerSecond: number): Passage {
  return async function* (bytes) {
    const piece = Math.max(1, Math.floor(bytesPerSecond / 10))
    for await (const data of bytes)
      for (let at = 0; at < data.length; at += piece) {
        const part = data.subarray(at, at + piece)
        await sleep((part.length / bytesPerSecond) * 1000)
        yield part
      }
  }
}

export async function* withOneBitFlipped(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let isFlipped = false
  for await (const data of bytes) {
    if (!isFlipped && data.length > 0) {
      const middle = data.length >> 1
      data.writeUInt8(data.readUInt8(middle) ^ 1, middle)
      isFlipped = true
    }
    yield data
  }
}
