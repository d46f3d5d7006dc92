import {once} from 'node:events'
import {connect, type Socket} from 'node:net'
import {RequestFrames} from '../../../src/sandbox/broker/request-frames.js'
import type {Api} from '../../../src/sandbox/broker/protocol/schema.js'
import {WireReader} from '../../../src/sandbox/broker/protocol/wire-reader.js'
import {WireWriter} from '../../../src/sandbox/broker/protocol/wire-writer.js'

/** A connection that says exactly what it is told to, in any version, and any bytes at all. */
export class RawClient {
  readonly #socket: Socket
  readonly #frames = new RequestFrames()
  readonly #waiting: {resolve: (body: Buffer) => void; reject: (error: Error) => void}[] = []
  readonly closed: Promise<unknown>
  #correlationId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      this.#frames.push(chunk)
      for (let frame = this.#frames.take(); frame; frame = this.#frames.take()) {
        this.#waiting.shift()?.resolve(frame)
      }
    })
    socket.on('close', () => {
      for (const {reject} of this.#waiting.splice(0)) reject(new Error('the broker closed the connection'))
    })
  }

  static async open(bootstrap: string): Promise<RawClient> {
    const [host, port] = bootstrap.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Answers come in the order of the requests; the correlation id is checked. */
  async request<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    value: Request,
  ): Promise<Response> {
    const correlationId = ++this.#correlationId
    const answer = new Promise<Buffer>((resolve, reject) => this.#waiting.push({resolve, reject}))
    this.sendRequest(api, version, value, correlationId)
    const reader = new WireReader(await answer)
    const answered = reader.int32()
    if (answered !== correlationId) throw new Error(`answer to ${answered} instead of ${correlationId}`)
    return api.response.read(reader, version)
  }

  /** Without waiting for an answer. */
  sendRequest<Request>(api: Api<Request, unknown>, version: number, value: Request, correlationId = 0): void {
    const writer = new WireWriter()
    writer.int16(api.key)
    writer.int16(version)
    writer.int32(correlationId)
    writer.string('raw')
    if (api.name === 'ApiVersions' && version >= 3) writer.noTaggedFields()
    api.request.write(writer, value, version)
    const body = Buffer.concat(writer.finish())
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    this.sendBytes(Buffer.concat([size, body]))
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Reads nothing for a while. */
  pauseFor(ms: number): void {
    this.#socket.pause()
    setTimeout(() => this.#socket.resume(), ms)
  }

  /** Says that nothing more will come; what was sent still arrives. */
  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }
}
