/**
 * One port. Whoever can reach it can send anything: headers, bodies, times and connections are limited. It never keeps
 * the process alive: when the run is over, so is this.
 */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {StreamtoolError} from '../../core/errors.js'
import type {Listener} from '../../core/ports/index.js'
import {type Answer, failure, type Request} from './answer.js'
import type {Router} from './router.js'

const MAX_HEADER_BYTES = 16 * 1024
const MAX_BODY_BYTES = 16 * 1024
const MAX_CONNECTIONS = 128
const REQUEST_MS = 10_000
const KEEP_ALIVE_MS = 5_000
const CLOSE_MS = 1_000

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

/** @throws PORT_UNUSABLE */
export async function listen({address, port}: Listener, route: Router): Promise<Listening> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1_000,
    },
    (incoming, outgoing) => void serve(incoming, outgoing, route),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', (socket) => socket.unref())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unusable(address, port, error)))
    server.listen({host: address, port}, resolve)
  })
  server.removeAllListeners('error')
  // Running out of descriptors must not end the run.
  server.on('error', () => undefined)
  server.unref()
  const taken = server.address() as AddressInfo
  return {url: `http://${hostText(taken)}:${taken.port}`, close: () => closeServer(server)}
}

const hostText = ({address, family}: AddressInfo) => (family === 'IPv6' ? `[${address}]` : address)

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
    server.close(() => {
      clearTimeout(impatient)
      resolve()
    })
    server.closeIdleConnections()
  })
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, route: Router): Promise<void> {
  outgoing.on('error', () => undefined)
  const path = pathOf(incoming.url ?? '/')
  let answer: Answer
  try {
    answer = path === null ? failure({path: '/'}, 400) : await route(requestOf(incoming, path))
  } catch (thrown) {
    answer = failure({path: path ?? '/'}, thrown instanceof BodyTooLarge ? 413 : 500, {Connection: 'close'})
  }
  const body = Buffer.from(answer.body ?? '')
  const length = answer.status === 204 ? {} : {'Content-Length': body.length}
  outgoing.writeHead(answer.status, {...answer.headers, ...length, 'X-Content-Type-Options': 'nosniff'})
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
}

function requestOf(incoming: IncomingMessage, path: string): Request {
  const url = incoming.url ?? '/'
  const query = url.indexOf('?')
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query < 0 ? '' : url.slice(query)),
    headers: incoming.headers as Record<string, string | undefined>,
    origin: originOf(incoming),
    body: () => bodyOf(incoming),
  }
}

/** Null when it cannot be decoded. */
function pathOf(url: string): string | null {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? '').replace(/\/+$/, '')
  } catch {
    return null
  }
}

/** For links; a host that looks like none is not repeated. */
function originOf({headers, socket}: IncomingMessage): string {
  const {host} = headers
  if (host !== undefined && /^[\w.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i.test(host))
    return `http://${host}`
  return `http://${socket.localAddress ?? 'localhost'}:${socket.localPort ?? 0}`
}

class BodyTooLarge extends Error {}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > MAX_BODY_BYTES) throw new BodyTooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function unusable(address: string, port: number, error: NodeJS.ErrnoException): StreamtoolError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program has it'
      : error.code === 'EACCES'
        ? 'it is not allowed'
        : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
          ? 'this host does not have that address'
          : (error.code ?? 'it failed')
  return new StreamtoolError(
    'PORT_UNUSABLE',
    `The port ${port} of ${address} cannot be listened on: ${why}.`,
    {
      cause: error,
      facts: {address, port},
      suggestions: [
        'Give another one with --metrics-port, or server.port and management.server.port where Spring properties are used; 0 takes any free one.',
      ],
    },
  )
}
