/** What the first line of a request names: which bucket, which key, which sub-resource. */
import {S3Error} from './errors.js'

export type Query = ReadonlyMap<string, string>

export interface Target {
  /** Each segment decoded; `/bucket/key`, always with the slash in front. */
  readonly path: string
  readonly bucket: string | null
  readonly key: string | null
  readonly query: Query
}

const MAX_KEY_BYTES = 1024

/** @throws S3Error InvalidURI, KeyTooLongError, InvalidArgument */
export function parseTarget(url: string): Target {
  const mark = url.indexOf('?')
  const path = decode(mark === -1 ? url : url.slice(0, mark))
  const query = parseQuery(mark === -1 ? '' : url.slice(mark + 1))
  const [, bucket = '', key = ''] = /^\/([^/]*)(?:\/([\s\S]*))?$/.exec(path) ?? []
  if (!path.startsWith('/')) throw new S3Error('InvalidURI')
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new S3Error('KeyTooLongError', undefined, {
      Size: Buffer.byteLength(key),
      MaxSizeAllowed: MAX_KEY_BYTES,
    })
  return {path, query, bucket: bucket || null, key: key || null}
}

function parseQuery(text: string): Query {
  const query = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeInQuery(equals === -1 ? pair : pair.slice(0, equals))
    if (query.has(name)) throw new S3Error('InvalidArgument', `The query parameter ${name} is given twice.`)
    query.set(name, equals === -1 ? '' : decodeInQuery(pair.slice(equals + 1)))
  }
  return query
}

const decodeInQuery = (text: string) => decode(text.replaceAll('+', ' '))

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidURI')
  }
}

/** As AWS encodes: everything but letters, digits and `-._~`. */
export const encodeForAws = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** @throws S3Error InvalidArgument when it is given and no whole number within the bounds */
export function integerInQuery(
  query: Query,
  name: string,
  {min = 0, max = Number.MAX_SAFE_INTEGER}: {min?: number; max?: number} = {},
): number | undefined {
  const text = query.get(name)
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || value < min || value > max)
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between ${min} and ${max}`, {
      ArgumentName: name,
      ArgumentValue: text,
    })
  return value
}
