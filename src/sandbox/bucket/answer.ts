import {xmlDocument, xmlError, type XmlTree} from './xml/write.js'
import type {S3Error} from './errors.js'
import type {S3Request} from './s3-request.js'

export type AnswerHeaders = Readonly<Record<string, string | number | undefined>>

export interface Answer {
  readonly status: number
  readonly headers: AnswerHeaders
  /** A stream has its length in the headers. */
  readonly body: Buffer | AsyncIterable<Buffer>
}

export type Handler = (request: S3Request) => Promise<Answer> | Answer

const NOTHING = Buffer.alloc(0)

export const emptyAnswer = (status: number, headers: AnswerHeaders = {}): Answer => ({
  status,
  headers,
  body: NOTHING,
})

export const xmlAnswer = (root: string, content: XmlTree | string, headers: AnswerHeaders = {}): Answer => ({
  status: 200,
  headers: {...headers, 'content-type': 'application/xml'},
  body: Buffer.from(xmlDocument(root, content)),
})

export interface ErrorContext {
  readonly requestId: string
  readonly resource: string
}

export type Refusal = Pick<S3Error, 'code' | 'message' | 'status' | 'details'>

export const errorAnswer = (refusal: Refusal, context: ErrorContext): Answer => ({
  status: refusal.status,
  headers: {'content-type': 'application/xml'},
  body: Buffer.from(errorXml(refusal, context)),
})

export function errorXml({code, message, details}: Refusal, {requestId, resource}: ErrorContext): string {
  const about = {Resource: resource, RequestId: requestId, HostId: 'sandbox'}
  return xmlError({Code: code, Message: message, ...details, ...about})
}
