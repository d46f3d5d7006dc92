/** If-Match, If-None-Match and their like, on reading and on writing. */
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {ObjectRecord} from '../storage/records.js'

type Current = ObjectRecord | undefined

/**
 * The condition of a write. It is looked at twice: when the request comes in, so that a body is not sent for nothing
 * (412), and when the object would appear. If it held first and does not then, another request was faster: 409, as S3
 * says of conflicting operations during a conditional write.
 */
export class WriteCondition {
  readonly #ifMatch: string | undefined
  readonly #ifNoneMatch: string | undefined

  /** @throws S3Error NotImplemented */
  constructor(request: S3Request) {
    this.#ifMatch = headerOf(request, 'if-match')
    this.#ifNoneMatch = headerOf(request, 'if-none-match')
    const isOdd = this.#ifNoneMatch !== undefined && this.#ifNoneMatch.trim() !== '*'
    if (isOdd || (this.#ifMatch !== undefined && this.#ifNoneMatch !== undefined))
      throw new S3Error('NotImplemented', undefined, {Header: 'If-None-Match'})
  }

  /** @throws S3Error PreconditionFailed, NoSuchKey */
  check(current: Current): void {
    const error = this.#failure(current)
    if (error !== null) throw error
  }

  /** @throws S3Error ConditionalRequestConflict */
  checkAgain(current: Current): void {
    if (this.#failure(current) !== null) throw new S3Error('ConditionalRequestConflict')
  }

  #failure(current: Current): S3Error | null {
    if (this.#ifNoneMatch !== undefined && current !== undefined) return preconditionFailed('If-None-Match')
    if (this.#ifMatch === undefined) return null
    if (current === undefined) return new S3Error('NoSuchKey')
    return matches(this.#ifMatch, current) ? null : preconditionFailed('If-Match')
  }
}

/**
 * @returns whether the client's copy is as good (304)
 * @throws S3Error PreconditionFailed
 */
export function isNotModified(request: S3Request, object: ObjectRecord): boolean {
  const modifiedS = Math.floor(object.modifiedMs / 1000)
  const ifMatch = headerOf(request, 'if-match')
  const ifNoneMatch = headerOf(request, 'if-none-match')
  const unmodifiedSince = secondsOf(headerOf(request, 'if-unmodified-since'))
  const modifiedSince = secondsOf(headerOf(request, 'if-modified-since'))
  if (ifMatch !== undefined && !matches(ifMatch, object)) throw preconditionFailed('If-Match')
  if (ifMatch === undefined && unmodifiedSince !== null && modifiedS > unmodifiedSince)
    throw preconditionFailed('If-Unmodified-Since')
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object)
  return modifiedSince !== null && modifiedS <= modifiedSince
}

const matches = (condition: string, {etag}: ObjectRecord) =>
  condition.split(',').some((tag) => {
    const bare = tag.trim().replace(/^"(.*)"$/, '$1')
    return bare === '*' || bare === etag
  })

function secondsOf(date: string | undefined): number | null {
  const ms = date === undefined ? NaN : Date.parse(date)
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000)
}

const preconditionFailed = (Condition: string) => new S3Error('PreconditionFailed', undefined, {Condition})
