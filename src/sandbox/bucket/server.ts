/** One HTTP request after another: authenticated, carried out, answered; refused in XML when it is not as it should be. */
import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import type {Duplex} from 'node:stream'
import type {Logger} from '../../core/ports/index.js'
import {type Answer, errorAnswer, type ErrorContext, errorXml} from './answer.js'
import {drain, RequestBody} from './body/request-body.js'
import {S3Error} from './errors.js'
import {faultyAnswer} from './fault-effects.js'
import {slowly, withOneBitFlipped} from './body/passage.js'
import type {Call, Intercept} from './faults.js'
import {type OperationName, operationOf, type Store} from './routes.js'
import {headerOf, type S3Request} from './s3-request.js'
import {parseTarget} from './target.js'
import {sendAnswer} from './sending.js'
import {type Account, authenticate} from './signature/authenticate.js'

const LOOPBACK = '127.0.0.1'
const OWNER_ID = '000000000000'
const MAX_HEADER_BYTES = 16 * 1024
const MAX_CONNECTIONS = 1000
/** Longer than clients keep a connection for the next request, so that it is they who close it. */
const KEEP_ALIVE_MS = 75_000
/** A connection on which nothing comes for so long ends. */
const IDLE_MS = 120_000

export interface ServerOptions {
  readonly store: Store
  readonly findAccount: (accessKeyId: string) => Account | undefined
  readonly intercept: Intercept
  readonly logger: Logger
}

export class BucketServer {
  readonly #options: ServerOptions
  readonly #server: Server
  readonly #running = new Set<Promise<void>>()
  readonly #counts = new Map<OperationName, number>()

  constructor(options: ServerOptions) {
    this.#options = options
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: 0,
    })
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.setTimeout(IDLE_MS)
    this.#server.on('error', (error) => options.logger.error(`the bucket cannot listen: ${error.message}`))
    this.#server.on('clientError', refuseUnreadable)
    this.#server.on('request', (message, response) => {
      const running = this.#serve(message, response).finally(() => this.#running.delete(running))
      this.#running.add(running)
    })
  }

  /** Rejects with the system's error when it cannot. */
  async listen(port: number): Promise<{readonly host: string; readonly port: number}> {
    await once(this.#server.listen(port, LOOPBACK), 'listening')
    return {host: LOOPBACK, port: (this.#server.address() as AddressInfo).port}
  }

  /** Ends all connections; what was being stored is there, or leaves nothing. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
    await Promise.all(this.#running)
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(8).toString('hex').toUpperCase()
    const context = {requestId, resource: (message.url ?? '').replace(/\?.*$/s, '')}
    // Each shows where it is awaited.
    response.on('error', () => undefined)
    message.on('error', () => undefined)
    try {
      const answer = await this.#answer(message, response, context)
      if (answer !== null) await this.#send(message, response, answer, context)
    } catch (thrown) {
      if (message.destroyed && !message.complete) return
      this.#options.logger.error(
        `the bucket failed at ${message.method} ${context.resource}: ${String(thrown)}`,
      )
      response.destroy()
    }
  }

  /** Null when a fault has dealt with the connection. */
  async #answer(
    message: IncomingMessage,
    response: ServerResponse,
    context: ErrorContext,
  ): Promise<Answer | null> {
    try {
      const request = this.#authenticated(message)
      const operation = operationOf(request)
      const call = this.#callOf(request, operation.name)
      const before = await this.#options.intercept({...call, phase: 'before'})
      if (before?.kind === 'slow') request.body.pass(slowly(before.bytesPerSecond))
      else if (before?.kind === 'corrupted') request.body.pass(withOneBitFlipped)
      else if (before !== undefined) return await faultyAnswer(before, null, response, context)

      const answer = await operation.run(request, this.#options.store)
      const after = await this.#options.intercept({...call, phase: 'after'})
      return after === undefined ? answer : await faultyAnswer(after, answer, response, context)
    } catch (thrown) {
      if (thrown instanceof S3Error) return errorAnswer(thrown, context)
      if (message.destroyed && !message.complete) return null
      this.#options.logger.error(
        `the bucket failed at ${message.method} ${context.resource}: ${String(thrown)}`,
      )
      return errorAnswer(new S3Error('InternalError'), context)
    }
  }

  #authenticated(message: IncomingMessage): S3Request {
    const target = parseTarget(message.url ?? '/')
    const {findAccount, store} = this.#options
    const signed = authenticate(message, target, {region: store.region, findAccount, nowMs: Date.now()})
    const body = new RequestBody(message, signed)
    const request = {...target, method: message.method ?? '', headers: message.headers, body}
    const owner = headerOf(request, 'x-amz-expected-bucket-owner')
    if (owner !== undefined && owner !== OWNER_ID) throw new S3Error('AccessDenied')
    return request
  }

  #callOf({bucket, key, query}: S3Request, operation: OperationName): Omit<Call, 'phase'> {
    const count = (this.#counts.get(operation) ?? 0) + 1
    this.#counts.set(operation, count)
    return {operation, bucket, key, query, count}
  }

  /** What is left of the body is read first: a client that is still sending does not see an answer. */
  async #send(
    message: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    {requestId}: ErrorContext,
  ): Promise<void> {
    const canGoOn = await drain(message)
    if (message.destroyed && !message.complete) return
    await sendAnswer(response, answer, {
      'x-amz-request-id': requestId,
      'x-amz-id-2': requestId,
      server: 'streamtool-sandbox',
      connection: canGoOn ? undefined : 'close',
    })
  }
}

/** What is no HTTP, or has more headers than S3 takes. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const refusal =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new S3Error('RequestHeaderSectionTooLarge')
      : new S3Error('InvalidRequest', 'This is no HTTP request.')
  const text = errorXml(refusal, {requestId: '0', resource: ''})
  socket.end(
    `HTTP/1.1 ${refusal.status} Bad Request\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n${text}`,
  )
}
