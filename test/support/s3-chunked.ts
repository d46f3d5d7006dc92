/** Bodies in aws-chunked form, signed or not, as a client makes them. */
import {hmac, sha256, type SignedRequest} from './s3-raw.js'

export type Trailers = Readonly<Record<string, string>>

export function unsignedChunks(pieces: readonly (Buffer | string)[], trailers: Trailers = {}): Buffer {
  const framed = [...pieces, ''].flatMap((piece) => [
    `${Buffer.byteLength(piece).toString(16)}\r\n`,
    piece,
    Buffer.byteLength(piece) === 0 ? '' : '\r\n',
  ])
  return join([...framed, ...Object.entries(trailers).map(([name, value]) => `${name}:${value}\r\n`), '\r\n'])
}

export function signedChunks(
  {signature, time, scope, key}: SignedRequest,
  pieces: readonly (Buffer | string)[],
  trailers?: Trailers,
): Buffer {
  let previous = signature
  const next = (algorithm: string, ...hashes: string[]) =>
    (previous = hmac(key, [algorithm, time, scope, previous, ...hashes].join('\n')).toString('hex'))
  const framed = [...pieces, ''].flatMap((piece) => [
    `${Buffer.byteLength(piece).toString(16)};chunk-signature=${next('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), sha256(piece))}\r\n`,
    piece,
    Buffer.byteLength(piece) === 0 ? '' : '\r\n',
  ])
  if (trailers === undefined) return join([...framed, '\r\n'])
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}`)
  const text = lines.map((line) => `${line}\n`).join('')
  return join([
    ...framed,
    ...lines.map((line) => `${line}\r\n`),
    `x-amz-trailer-signature:${next('AWS4-HMAC-SHA256-TRAILER', sha256(text))}\r\n\r\n`,
  ])
}

const join = (parts: readonly (Buffer | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))
