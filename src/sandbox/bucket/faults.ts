/**
 * What tests may do to a call, beside what the store does itself. An `Intercept` is asked twice about every call whose
 * signature is right: before anything has happened, and when it has happened and the answer is about to go out. It may
 * take its time, and returns what goes wrong, or nothing.
 */
import type {OperationName} from './routes.js'
import type {Query} from './target.js'

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
  /** A bit is flipped as if on the way: before the call one of its body, after it one of the answer's. */
  | {readonly kind: 'corrupted'}

export type Intercept = (call: Call) => Fault | undefined | Promise<Fault | undefined>
