import {apiVersions} from '../protocol/cluster.js'
import {KafkaError} from '../protocol/errors.js'
import {readRequestHeader} from '../protocol/request-header.js'
import type {Api, VersionRange} from '../protocol/schema.js'
import {WireError, WireReader} from '../protocol/wire-reader.js'
import {WireWriter} from '../protocol/wire-writer.js'

/** Whose request it is. */
export interface Client {
  readonly clientId: string
  readonly clientHost: string
  /** Aborted when the connection is gone; a request that waits need not wait any longer. */
  readonly gone: AbortSignal
}

/** For a request that wants no answer (Produce with acks=0). */
export const NO_RESPONSE = Symbol('no response')

type Reply<Response> = Response | typeof NO_RESPONSE

type ApiFacts = Omit<Api<never, never>, 'request' | 'response'>

/** An API, and what answers it. */
export interface Route {
  readonly api: ApiFacts
  serve(reader: WireReader, version: number, client: Client): Promise<WireWriter | null>
}

export function route<Request, Response>(
  api: Api<Request, Response>,
  handle: (request: Request, client: Client) => Reply<Response> | Promise<Reply<Response>>,
): Route {
  return {
    api,
    async serve(reader, version, client) {
      const response = await handle(api.request.read(reader, version), client)
      if (response === NO_RESPONSE) return null
      const writer = new WireWriter()
      api.response.write(writer, response, version)
      return writer
    },
  }
}

/** Finds the route of a request and frames its answer. */
export class Dispatcher {
  readonly #routes: ReadonlyMap<number, Route>

  constructor(routes: readonly Route[]) {
    const served = [...routes.map(({api}) => api), apiVersions].map(advertisement)
    const handshake = route(apiVersions, () => ({error: KafkaError.NONE, apis: served}))
    this.#routes = new Map([...routes, handshake].map((each) => [each.api.key, each]))
  }

  /**
   * @returns the answer with its size in front, or null when none is wanted
   * @throws WireError when the request cannot be read, or is for an API or version that is not served
   */
  async answer(frame: Buffer, connection: Omit<Client, 'clientId'>): Promise<Buffer[] | null> {
    const reader = new WireReader(frame)
    const {apiKey, version, correlationId, clientId} = readRequestHeader(reader)
    const found = this.#routes.get(apiKey)
    if (found === undefined) throw new WireError(`API ${apiKey} is not served here (client ${clientId})`)
    if (!isWithin(version, found.api.versions)) {
      if (found.api.key === apiVersions.key) return framed(correlationId, olderApiVersionsPlease())
      throw new WireError(`version ${version} of ${found.api.name} is not served here (client ${clientId})`)
    }
    const writer = await found.serve(reader, version, {clientId, ...connection})
    return writer === null ? null : framed(correlationId, writer)
  }
}

function advertisement({key, versions, advertised = versions}: ApiFacts) {
  const [min, max] = advertised
  return {key, min, max}
}

function isWithin(version: number, [min, max]: VersionRange): boolean {
  return version >= min && version <= max
}

/** KIP-511: an unknown version of ApiVersions is answered in version 0, naming the versions that there are. */
function olderApiVersionsPlease(): WireWriter {
  const writer = new WireWriter()
  const apis = [advertisement(apiVersions)]
  apiVersions.response.write(writer, {error: KafkaError.UNSUPPORTED_VERSION, apis}, 0)
  return writer
}

function framed(correlationId: number, writer: WireWriter): Buffer[] {
  const body = writer.finish()
  const head = Buffer.allocUnsafe(8)
  head.writeInt32BE(
    body.reduce((total, part) => total + part.length, 4),
    0,
  )
  head.writeInt32BE(correlationId, 4)
  return [head, ...body]
}
