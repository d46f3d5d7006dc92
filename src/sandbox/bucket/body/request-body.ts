/** The body of a request, in whichever form it comes: handed out plain, and refused at its end if it is not what the headers say. */
import {createHash} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {S3Error} from '../errors.js'
import type {Passage} from './passage.js'
import {type Authenticated, UNSIGNED_PAYLOAD} from '../signature/authenticate.js'
import {ChunkSignatures} from './chunk-signatures.js'
import {decodeChunkedBody} from './chunked-body.js'

interface Form {
  readonly isChunked: boolean
  readonly isSigned: boolean
  readonly hasTrailers: boolean
}

const STREAMING: Readonly<Record<string, Form>> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': {isChunked: true, isSigned: false, hasTrailers: true},
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': {isChunked: true, isSigned: true, hasTrailers: false},
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': {isChunked: true, isSigned: true, hasTrailers: true},
}
const PLAIN: Form = {isChunked: false, isSigned: false, hasTrailers: false}
/** What is read of a body only to be thrown away, so that the client reads the answer. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024

export class RequestBody {
  /** There once `bytes` has ended; names in lower case. */
  readonly trailers = new Map<string, string>()
  readonly hasTrailers: boolean
  readonly #message: IncomingMessage
  readonly #signed: Authenticated
  readonly #form: Form
  #incoming: AsyncIterable<Buffer>

  /** @throws S3Error InvalidArgument */
  constructor(message: IncomingMessage, signed: Authenticated) {
    this.#message = message
    // A body that is refused in the middle must not take the connection with it: the answer goes out on it.
    this.#incoming = message.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>
    this.#signed = signed
    this.#form = formOf(signed.payloadHash)
    this.hasTrailers = this.#form.hasTrailers
  }

  /** Sends what comes in through something first: a fault that a test asked for. */
  pass(passage: Passage): void {
    this.#incoming = passage(this.#incoming)
  }

  /**
   * In bytes, without the framing of chunks.
   * @throws S3Error MissingContentLength
   */
  requiredLength(): number {
    const {headers} = this.#message
    const text = this.#form.isChunked ? headers['x-amz-decoded-content-length'] : headers['content-length']
    if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw new S3Error('MissingContentLength')
    return Number(text)
  }

  /**
   * To be read once.
   * @throws S3Error IncompleteBody, XAmzContentSHA256Mismatch, and those of decodeChunkedBody
   */
  async *bytes(): AsyncGenerator<Buffer> {
    const expected = this.requiredLength()
    let received = 0
    for await (const data of this.#form.isChunked ? this.#decoded() : this.#plain()) {
      received += data.length
      if (received > expected) break
      yield data
    }
    if (received !== expected)
      throw new S3Error('IncompleteBody', `The body has not the ${expected} bytes that were announced.`)
  }

  /** @throws S3Error MaxMessageLengthExceeded, besides those of `bytes` */
  async whole(maxBytes: number): Promise<Buffer> {
    if (this.requiredLength() > maxBytes) throw new S3Error('MaxMessageLengthExceeded')
    const pieces: Buffer[] = []
    for await (const data of this.bytes()) pieces.push(data)
    return Buffer.concat(pieces)
  }

  async *#plain(): AsyncGenerator<Buffer> {
    const {payloadHash} = this.#signed
    const hash = payloadHash === UNSIGNED_PAYLOAD ? null : createHash('sha256')
    for await (const data of this.#incoming) {
      hash?.update(data)
      yield data
    }
    const computed = hash?.digest('hex')
    if (computed !== undefined && computed !== payloadHash)
      throw new S3Error('XAmzContentSHA256Mismatch', undefined, {
        ClientComputedContentSHA256: payloadHash,
        S3ComputedContentSHA256: computed,
      })
  }

  #decoded(): AsyncGenerator<Buffer> {
    return decodeChunkedBody(this.#incoming, {
      signatures: this.#form.isSigned ? new ChunkSignatures(this.#signed) : null,
      mayHaveTrailers: this.hasTrailers,
      trailers: this.trailers,
    })
  }
}

/** @returns whether the connection can be used for another request */
export async function drain(message: IncomingMessage): Promise<boolean> {
  if (message.readableEnded || message.destroyed) return message.readableEnded
  let drained = 0
  return new Promise((resolve) => {
    message.on('data', (data: Buffer) => {
      drained += data.length
      if (drained > MAX_DRAINED_BYTES) {
        message.pause()
        resolve(false)
      }
    })
    message.once('end', () => resolve(true))
    message.once('close', () => resolve(false))
    message.resume()
  })
}

function formOf(payloadHash: string): Form {
  if (payloadHash === UNSIGNED_PAYLOAD || /^[0-9a-f]{64}$/.test(payloadHash)) return PLAIN
  const form = STREAMING[payloadHash]
  if (form !== undefined) return form
  throw new S3Error(
    'InvalidArgument',
    `x-amz-content-sha256 must be UNSIGNED-PAYLOAD, ${Object.keys(STREAMING).join(', ')}, or a valid sha256 value.`,
    {ArgumentName: 'x-amz-content-sha256', ArgumentValue: payloadHash},
  )
}
