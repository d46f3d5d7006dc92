/** Answers on their way out. */
import type {OutgoingHttpHeaders, ServerResponse} from 'node:http'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import type {Answer, AnswerHeaders} from './answer.js'

const NOTHING = Buffer.alloc(0)

/** A client that goes away in the middle is no error. */
export async function sendAnswer(
  response: ServerResponse,
  {status, headers, body}: Answer,
  common: AnswerHeaders,
): Promise<void> {
  const length =
    Buffer.isBuffer(body) && status !== 204 && status !== 304 ? {'content-length': body.length} : {}
  response.writeHead(status, given({...length, ...headers, ...common}))
  if (response.req.method === 'HEAD' || Buffer.isBuffer(body)) {
    response.end(response.req.method === 'HEAD' ? undefined : body)
    return
  }
  try {
    await pipeline(Readable.from(body, {objectMode: false}), response)
  } catch (thrown) {
    const isGone =
      response.destroyed && (thrown as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
    if (!isGone) throw thrown
  }
}

/** Half of the body under the length of the whole, or half of a head; then the connection ends. */
export async function sendTruncated(response: ServerResponse, answer: Answer | null): Promise<void> {
  const {socket} = response
  const isHead = response.req.method === 'HEAD'
  const piece = answer === null || isHead ? NOTHING : await firstPiece(answer)
  if (answer === null || piece.length < 2) {
    socket?.write('HTTP/1.1 200 OK\r\nContent-Type: app', () => socket.destroy())
    return
  }
  response.writeHead(answer.status, given({'content-length': piece.length, ...answer.headers}))
  response.write(piece.subarray(0, piece.length >> 1), () => socket?.destroy())
}

async function firstPiece({body}: Answer): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body
  for await (const data of body) return data
  return NOTHING
}

const given = (headers: AnswerHeaders): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
