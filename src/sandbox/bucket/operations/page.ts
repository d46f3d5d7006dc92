/** One page of a listing: names in order, those with the delimiter in them rolled up. */
import {S3Error} from '../errors.js'
import {encodeForAws, integerInQuery, type Query} from '../target.js'

export interface ListingQuery {
  readonly prefix: string
  readonly delimiter: string
  readonly limit: number
  /** For keys in answers, which may hold what XML cannot. */
  readonly encode: (text: string) => string
  readonly encodingType: string | undefined
}

const MAX_LIMIT = 1000

/** @throws S3Error InvalidArgument */
export function listingQuery(query: Query, limitName: string): ListingQuery {
  const encodingType = query.get('encoding-type')
  if (encodingType !== undefined && encodingType !== 'url')
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
      ArgumentName: 'encoding-type',
      ArgumentValue: encodingType,
    })
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: Math.min(integerInQuery(query, limitName, {max: 2 ** 31 - 1}) ?? MAX_LIMIT, MAX_LIMIT),
    encode: encodingType === 'url' ? (text) => encodeForAws(text).replaceAll('%2F', '/') : (text) => text,
    encodingType,
  }
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly commonPrefixes: readonly string[]
  readonly isTruncated: boolean
  /** The last item, or the common prefix that came after it. */
  readonly last: Item | string | undefined
}

/**
 * @param items in order, from the place where the page begins
 * @param passed whether a common prefix was on an earlier page
 */
export function pageOf<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  {prefix, delimiter, limit}: ListingQuery,
  passed: (commonPrefix: string) => boolean,
): Page<Item> {
  const found: Item[] = []
  const commonPrefixes: string[] = []
  let last: Item | string | undefined
  const page = (isTruncated: boolean): Page<Item> => ({items: found, commonPrefixes, isTruncated, last})
  if (limit === 0) return page(false)
  for (const item of items) {
    const key = keyOf(item)
    if (!key.startsWith(prefix)) continue
    const common = commonPrefixOf(key, prefix, delimiter)
    if (common !== null && (common === commonPrefixes.at(-1) || passed(common))) continue
    if (found.length + commonPrefixes.length === limit) return page(true)
    if (common === null) found.push(item)
    else commonPrefixes.push(common)
    last = common ?? item
  }
  return page(false)
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | null {
  if (delimiter === '') return null
  const end = key.indexOf(delimiter, prefix.length)
  return end === -1 ? null : key.slice(0, end + delimiter.length)
}
