/** Tags of an object: `a=1&b=2` in the header x-amz-tagging, or `<Tagging>` in a body. */
import {S3Error} from '../errors.js'
import type {ObjectTraits} from '../storage/records.js'
import {childrenNamed, childText, parseXml} from '../xml/read.js'
import type {XmlTree} from '../xml/write.js'

type Tags = ObjectTraits['tags']

const MAX_TAGS = 10
const MAX_KEY_LENGTH = 128
const MAX_VALUE_LENGTH = 256
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** @throws S3Error InvalidArgument, InvalidTag */
export function parseTagHeader(text: string | undefined): Tags {
  if (text === undefined || text === '') return []
  const pairs = text.split('&').map((pair): [string, string] => {
    const equals = pair.indexOf('=')
    return equals === -1
      ? [decode(pair), '']
      : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
  })
  return checked(pairs)
}

/** @throws S3Error MalformedXML, InvalidTag */
export function parseTagging(body: Buffer): Tags {
  const [set] = childrenNamed(parseXml(body.toString('utf8'), 'Tagging'), 'TagSet')
  if (set === undefined) throw new S3Error('MalformedXML')
  return checked(
    childrenNamed(set, 'Tag').map((tag): [string, string] => [
      childText(tag, 'Key') ?? '',
      childText(tag, 'Value') ?? '',
    ]),
  )
}

export const taggingXml = (tags: Tags): XmlTree => ({
  TagSet: {Tag: tags.map(([Key, Value]) => ({Key, Value}))},
})

function checked(tags: Tags): Tags {
  if (tags.length > MAX_TAGS)
    throw new S3Error('InvalidTag', `Object tags cannot be greater than ${MAX_TAGS}`)
  const keys = new Set(tags.map(([key]) => key))
  if (keys.size < tags.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key')
  for (const [key, value] of tags) {
    if (key.length === 0 || key.length > MAX_KEY_LENGTH || !ALLOWED.test(key) || key.startsWith('aws:'))
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid')
    if (value.length > MAX_VALUE_LENGTH || !ALLOWED.test(value))
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid')
  }
  return tags
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new S3Error(
      'InvalidArgument',
      'The header x-amz-tagging shall be encoded as UTF-8 then URLEncoded URL query parameters.',
    )
  }
}
