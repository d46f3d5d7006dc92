/**
 * AWS Signature Version 4, from its public description. The signature is an HMAC, with a key derived from the secret,
 * over this text:
 *
 *     AWS4-HMAC-SHA256 \n time \n day/region/service/aws4_request \n sha256 of:
 *         method \n path \n query, sorted \n each signed header as name:value\n \n names;of;them \n sha256 of the body
 */
import {createHash, createHmac, timingSafeEqual} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {S3Error} from '../errors.js'
import {encodeForAws, type Target} from '../target.js'
import type {SignatureClaim} from './claim.js'

export interface SigningKey {
  readonly key: Buffer
  /** `day/region/service/aws4_request` */
  readonly scope: string
}

export function signingKey(secret: string, {day, region, service}: SignatureClaim): SigningKey {
  const key = [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`))
  return {key, scope: `${day}/${region}/${service}/aws4_request`}
}

export function canonicalRequest(
  message: IncomingMessage,
  {path, query}: Target,
  {signedHeaders}: SignatureClaim,
  payloadHash: string,
): string {
  return [
    message.method,
    path.split('/').map(encodeForAws).join('/'),
    canonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${canonicalValue(message, name)}`),
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
}

export function signatureOf(signing: SigningKey, time: string, canonical: string): string {
  // Header values are given as Latin-1: each character is a byte as it was sent.
  const hash = sha256(Buffer.from(canonical, 'latin1'))
  return hmac(signing.key, `AWS4-HMAC-SHA256\n${time}\n${signing.scope}\n${hash}`).toString('hex')
}

export function sameSignature(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

export const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

function canonicalQuery(query: Target['query']): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]): [string, string] => [encodeForAws(name), encodeForAws(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function canonicalValue(message: IncomingMessage, name: string): string {
  const values = message.headersDistinct[name]
  if (values === undefined)
    throw new S3Error('SignatureDoesNotMatch', `The signed header ${name} was not sent.`)
  return values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')
}
