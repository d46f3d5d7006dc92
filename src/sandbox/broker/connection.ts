import {once} from 'node:events'
import type {Socket} from 'node:net'
import type {Logger} from '../../core/ports/index.js'
import type {Dispatcher} from './handlers/dispatcher.js'
import {RequestFrames} from './request-frames.js'
import {WireError} from './protocol/wire-reader.js'

/** More than this may wait unread only while it is one request that is still arriving. */
const READ_AHEAD_BYTES = 1024 * 1024

/**
 * One client. Its requests are answered one after the other, as Apache Kafka does it: a parked one (JoinGroup, a
 * long poll) holds up what was sent behind it, and so order is never in question. What a client sends meanwhile
 * is left in the socket, and nothing more is answered while it does not read.
 */
export class Connection {
  readonly #socket: Socket
  readonly #dispatcher: Dispatcher
  readonly #logger: Logger
  readonly #frames = new RequestFrames()
  readonly #gone = new AbortController()
  #isAnswering = false

  constructor(socket: Socket, dispatcher: Dispatcher, logger: Logger) {
    this.#socket = socket
    this.#dispatcher = dispatcher
    this.#logger = logger
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('error', (error) => logger.debug(`a client's connection failed: ${error.message}`))
    socket.on('close', () => this.#gone.abort())
  }

  close(): void {
    this.#socket.destroy()
  }

  #received(chunk: Buffer): void {
    this.#frames.push(chunk)
    if (!this.#isAnswering) void this.#answerAll()
    else if (this.#frames.byteLength > READ_AHEAD_BYTES) this.#socket.pause()
  }

  /** Never rejects: whatever goes wrong with one client's request ends its connection, not the broker. */
  async #answerAll(): Promise<void> {
    this.#isAnswering = true
    try {
      for (let frame = this.#frames.take(); frame !== null; frame = this.#frames.take()) {
        const answer = await this.#dispatcher.answer(frame, this.#client())
        if (this.#gone.signal.aborted) return
        if (answer !== null) await this.#send(answer)
      }
      this.#socket.resume()
    } catch (thrown) {
      this.#closeAfter(thrown)
    } finally {
      this.#isAnswering = false
    }
  }

  #client() {
    return {clientHost: `/${this.#socket.remoteAddress ?? ''}`, gone: this.#gone.signal}
  }

  async #send(answer: readonly Buffer[]): Promise<void> {
    this.#socket.cork()
    for (const part of answer) this.#socket.write(part)
    this.#socket.uncork()
    if (this.#socket.writableNeedDrain) await once(this.#socket, 'drain', {signal: this.#gone.signal})
  }

  #closeAfter(thrown: unknown): void {
    if (!this.#gone.signal.aborted) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      if (thrown instanceof WireError) this.#logger.warn(`closing a client's connection: ${reason}`)
      else this.#logger.error(`a request could not be served: ${reason}`, {error: thrown})
    }
    this.close()
  }
}
