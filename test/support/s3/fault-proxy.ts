/**
 * In front of a store that others wrote: what an `Intercept` asks for befalls its calls on the way, as it would befall
 * those of the sandbox's bucket. Before a call is before the store hears of it; after it, the store has answered.
 *
 *     client -> Intercept before -> (body: slow, or a bit flipped) -> store -> Intercept after -> client
 */
import {once} from 'node:events'
import {Agent, createServer, type IncomingMessage, request, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {pipeline} from 'node:stream/promises'
import type {Answer, AnswerHeaders} from '../../../src/sandbox/bucket/answer.js'
import {type Passage, slowly, withOneBitFlipped} from '../../../src/sandbox/bucket/body/passage.js'
import {drain} from '../../../src/sandbox/bucket/body/request-body.js'
import {faultyAnswer} from '../../../src/sandbox/bucket/fault-effects.js'
import type {Call, Fault, Intercept} from '../../../src/sandbox/bucket/faults.js'
import {type OperationName, operationOf} from '../../../src/sandbox/bucket/routes.js'
import type {S3Request} from '../../../src/sandbox/bucket/s3-request.js'
import {sendAnswer} from '../../../src/sandbox/bucket/sending.js'
import {parseTarget} from '../../../src/sandbox/bucket/target.js'

export interface FaultProxy {
  readonly endpoint: string
  close(): Promise<void>
}

const AS_IT_IS: Passage = (bytes) => bytes

export async function startFaultProxy(store: string, intercept: Intercept): Promise<FaultProxy> {
  const agent = new Agent({keepAlive: true})
  const counts = new Map<OperationName, number>()
  const server = createServer({keepAliveTimeout: 75_000, requestTimeout: 0}, (message, response) => {
    for (const each of [message, response]) each.on('error', () => undefined)
    // The store is away, or the client is.
    serve(message, response).catch(() => response.destroy())
  })

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const context = {requestId: 'proxy', resource: (message.url ?? '').replace(/\?.*$/s, '')}
    const call = callOf(message, counts)
    const before = await intercept({...call, phase: 'before'})
    const passage = before === undefined ? AS_IT_IS : passageOf(before)
    let answer: Answer | null
    if (passage === null) answer = await faultyAnswer(before!, null, response, context)
    else {
      answer = await forwarded(message, passage)
      const after = await intercept({...call, phase: 'after'})
      if (after !== undefined) answer = await faultyAnswer(after, answer, response, context)
    }
    if (answer === null) return
    const canGoOn = await drain(message)
    await sendAnswer(response, answer, canGoOn ? {} : {connection: 'close'})
  }

  /** The same request, signed host name included; only its body may be changed on the way. */
  async function forwarded(message: IncomingMessage, passage: Passage): Promise<Answer> {
    const {method, url, rawHeaders} = message
    const options = {agent, method: method ?? '', headers: rawHeaders, setHost: false}
    const upstream = request(`${store}${url ?? ''}`, options)
    const answered = once(upstream, 'response') as Promise<[IncomingMessage]>
    const body = passage(message.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>)
    // A store that refuses may answer, and close, before it has read everything.
    pipeline(body, upstream).catch(() => undefined)
    const [answer] = await answered
    const pieces: Buffer[] = []
    for await (const data of answer) pieces.push(data as Buffer)
    return {status: answer.statusCode ?? 502, headers: endToEnd(answer), body: Buffer.concat(pieces)}
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

function callOf(message: IncomingMessage, counts: Map<OperationName, number>): Omit<Call, 'phase'> {
  const {method = '', url = '/', headers} = message
  const target = parseTarget(url)
  const operation = operationOf({...target, method, headers} as S3Request).name
  const count = (counts.get(operation) ?? 0) + 1
  counts.set(operation, count)
  return {operation, bucket: target.bucket, key: target.key, query: target.query, count}
}

/** Null when the call does not get through. */
function passageOf(before: Fault): Passage | null {
  if (before.kind === 'slow') return slowly(before.bytesPerSecond)
  return before.kind === 'corrupted' ? withOneBitFlipped : null
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

function endToEnd({headers}: IncomingMessage): AnswerHeaders {
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
}
