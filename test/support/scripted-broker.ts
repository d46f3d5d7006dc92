import {createServer, type AddressInfo, type Server, type Socket} from 'node:net'
import tls from 'node:tls'
import {BytesReader, BytesWriter} from '../../src/adapters/kafka/bytes.js'
import {FrameReader} from '../../src/adapters/kafka/transport/frames.js'

export interface ScriptedRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Behind the header. */
  readonly body: Buffer
  readonly socket: Socket
  /** Counted over all connections, from 0, for this api key. */
  readonly turn: number
}

/** Answers the body of the response; null for none at all; may do what it likes to the socket. */
export type Answerer = (request: ScriptedRequest) => Buffer | null | Promise<Buffer | null>

/** A broker that speaks Kafka's frames and says what the test wants. */
export interface ScriptedBroker {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly address: string
  readonly requests: readonly ScriptedRequest[]
  readonly sockets: ReadonlySet<Socket>
  /** Connections accepted so far. */
  readonly accepted: number
  close(): Promise<void>
}

export const api = {
  produce: 0,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  findCoordinator: 10,
  heartbeat: 12,
  describeGroups: 15,
  saslHandshake: 17,
  apiVersions: 18,
  createTopics: 19,
  describeConfigs: 32,
  saslAuthenticate: 36,
} as const

export async function startScriptedBroker(
  answerers: Readonly<Record<number, Answerer>>,
  {port = 0, tlsOptions}: {port?: number; tlsOptions?: tls.TlsOptions} = {},
): Promise<ScriptedBroker> {
  const requests: ScriptedRequest[] = []
  const sockets = new Set<Socket>()
  let accepted = 0

  function serve(socket: Socket): void {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const frames = new FrameReader()
    socket.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) void answer(frame, socket)
    })
  }

  async function answer(frame: Buffer, socket: Socket): Promise<void> {
    const apiKey = frame.readInt16BE(0)
    const turn = requests.filter((request) => request.apiKey === apiKey).length
    const request: ScriptedRequest = {
      apiKey,
      apiVersion: frame.readInt16BE(2),
      correlationId: frame.readInt32BE(4),
      body: frame.subarray(10 + Math.max(0, frame.readInt16BE(8))),
      socket,
      turn,
    }
    requests.push(request)
    const answerer = answerers[apiKey] ?? (apiKey === api.apiVersions ? () => apiVersionsAnswer() : undefined)
    const body = answerer === undefined ? null : await answerer(request)
    if (body !== null && !socket.destroyed) socket.write(frameOf(request.correlationId, body))
  }

  const server: Server = tlsOptions === undefined ? createServer(serve) : tls.createServer(tlsOptions, serve)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = (server.address() as AddressInfo).port
  return {
    host: '127.0.0.1',
    port: bound,
    address: `127.0.0.1:${bound}`,
    requests,
    sockets,
    get accepted() {
      return accepted
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const frameOf = (correlationId: number, body: Buffer): Buffer =>
  new BytesWriter().bytes(Buffer.concat([new BytesWriter().int32(correlationId).finish(), body])).finish()

/** Newer than anything kafkajs has, so that each request is made in its newest version. */
export function apiVersionsAnswer(overrides: Readonly<Record<number, number>> = {}): Buffer {
  const keys = Array.from({length: 47}, (_, key) => key)
  return new BytesWriter()
    .int16(0)
    .array(keys, (writer, key) =>
      writer
        .int16(key)
        .int16(0)
        .int16(overrides[key] ?? 99),
    )
    .int32(0)
    .finish()
}

export interface ScriptedTopic {
  readonly topic: string
  readonly errorCode?: number
  /** The leader of each partition; -1 for none. */
  readonly leaders?: readonly number[]
}

/** Metadata, version 6. */
export function metadataAnswer(
  brokers: readonly {nodeId: number; host: string; port: number}[],
  topics: readonly ScriptedTopic[],
  {controllerId = brokers[0]?.nodeId ?? -1}: {controllerId?: number} = {},
): Buffer {
  return new BytesWriter()
    .int32(0) // throttle
    .array(brokers, (writer, {nodeId, host, port}) => writer.int32(nodeId).string(host).int32(port).int16(-1))
    .string('scripted-cluster')
    .int32(controllerId)
    .array(topics, (writer, {topic, errorCode = 0, leaders = []}) =>
      writer
        .int16(errorCode)
        .string(topic)
        .int8(0)
        .array([...leaders.entries()], (inner, [partition, leader]) =>
          inner
            .int16(leader < 0 ? 5 : 0)
            .int32(partition)
            .int32(leader)
            .int32(0)
            .int32(0)
            .int32(0),
        ),
    )
    .finish()
}

/** The topics that a Metadata request names, and whether it may create them. */
export function readMetadataRequest(body: Buffer): {topics: string[] | null; mayCreate: boolean} {
  const reader = new BytesReader(body)
  const isNull = body.readInt32BE(0) === -1
  const topics = reader.array((each) => each.string())
  return {topics: isNull ? null : topics, mayCreate: reader.int8() === 1}
}
