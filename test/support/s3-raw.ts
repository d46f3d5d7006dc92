/**
 * S3 requests put together by hand, so that a test can send what no client would: any header, any body, any signature.
 * The signatures are written from AWS's description, apart from what the sandbox has.
 */
import {createHash, createHmac} from 'node:crypto'
import {request} from 'node:http'
import type {S3Access} from './s3-client.js'

export interface RawRequest {
  readonly method?: string
  /** As it is sent, encoded; with `?` and what follows. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** For x-amz-content-sha256; that of the body when it is not given. */
  readonly payloadHash?: string
  readonly at?: Date
  /** Called with the request when it is signed: for bodies whose form depends on its signature. */
  readonly bodyFor?: (signed: SignedRequest) => Buffer
  /** Changes what was signed, behind the back of the signature. */
  readonly tamper?: (headers: Record<string, string>) => void
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Of an `<Error>`. */
  readonly code: string | undefined
}

export interface SignedRequest {
  readonly signature: string
  readonly time: string
  readonly scope: string
  readonly key: Buffer
}

export const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
export const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest()

export async function sendRaw(access: S3Access, raw: RawRequest): Promise<RawAnswer> {
  const {method = 'GET', path, body = ''} = raw
  const {headers, signed} = sign(access, raw)
  raw.tamper?.(headers)
  return exchange(access.endpoint, method, path, headers, raw.bodyFor?.(signed) ?? body)
}

/** What `sendRaw` would send, for those who send it themselves. */
export const signedHeaders = (access: S3Access, raw: RawRequest) => sign(access, raw).headers

/** @returns path and query that are good for so long without further headers */
export function presign(
  access: S3Access,
  {method, path, expiresS, at = new Date()}: {method: string; path: string; expiresS: number; at?: Date},
): string {
  const time = timeOf(at)
  const scope = scopeOf(access, time)
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${access.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresS),
    'X-Amz-SignedHeaders': 'host',
  })
  const {host} = new URL(access.endpoint)
  const target = `${path}?${String(query)}`
  const {signature} = signatureOver(access, time, canonical(method, target, {host}, 'UNSIGNED-PAYLOAD'))
  return `${target}&X-Amz-Signature=${signature}`
}

/** A request as it is, unsigned. */
export function exchange(
  endpoint: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: Buffer | string = '',
): Promise<RawAnswer> {
  const {hostname, port} = new URL(endpoint)
  const length = method === 'GET' || method === 'HEAD' ? {} : {'content-length': Buffer.byteLength(body)}
  return new Promise((resolve, reject) => {
    const sent = request({hostname, port, method, path, headers: {...length, ...headers}, agent: false})
    sent.on('error', reject)
    sent.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('error', reject)
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        const code = /<Error>.*<Code>(\w+)<\/Code>/s.exec(text)?.[1]
        resolve({status: response.statusCode ?? 0, headers: response.headers, text, code})
      })
    })
    sent.end(body)
  })
}

function sign(access: S3Access, raw: RawRequest): {headers: Record<string, string>; signed: SignedRequest} {
  const {method = 'GET', path, body = '', payloadHash: hash = sha256(body), at = new Date()} = raw
  const time = timeOf(at)
  const headers: Record<string, string> = {
    host: new URL(access.endpoint).host,
    'x-amz-date': time,
    'x-amz-content-sha256': hash,
    ...lowerCase(raw.headers ?? {}),
  }
  const signed = signatureOver(access, time, canonical(method, path, headers, hash))
  const names = Object.keys(headers).sort().join(';')
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${access.accessKeyId}/${signed.scope}, ` +
    `SignedHeaders=${names}, Signature=${signed.signature}`
  return {headers, signed}
}

function canonical(method: string, target: string, headers: Record<string, string>, hash: string): string {
  const [path = '', query = ''] = target.split('?')
  const pairs = query.split('&').filter((pair) => pair !== '')
  const names = Object.keys(headers).sort()
  return [
    method,
    path,
    pairs
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    hash,
  ].join('\n')
}

function signatureOver(access: S3Access, time: string, text: string): SignedRequest {
  const scope = scopeOf(access, time)
  let key: Buffer | string = `AWS4${access.secretAccessKey}`
  for (const part of scope.split('/')) key = hmac(key, part)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(text)}`).toString('hex')
  return {signature, time, scope, key: key as Buffer}
}

const timeOf = (at: Date) => at.toISOString().replace(/[-:]|\.\d+/g, '')
const scopeOf = ({region}: S3Access, time: string) => `${time.slice(0, 8)}/${region}/s3/aws4_request`
const lowerCase = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
