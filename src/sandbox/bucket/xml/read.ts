/**
 * The little XML that requests carry: elements and text. What else XML has (doctypes and their entities, processing
 * instructions beside the declaration, CDATA) no client needs here, so it is refused instead of parsed.
 */
import {S3Error} from '../errors.js'

export interface XmlElement {
  readonly name: string
  readonly text: string
  readonly children: readonly XmlElement[]
}

const MAX_DEPTH = 8
/** A DeleteObjects names 1,000 objects, a CompleteMultipartUpload 10,000 parts with up to eight elements each. */
const MAX_ELEMENTS = 100_000

const TOKEN =
  /<(\/?)([A-Za-z_][\w.:-]{0,127})((?:\s+[\w.:-]{1,128}\s*=\s*(?:"[^"<]*"|'[^'<]*')){0,16})\s*(\/?)>|([^<]+)/y
const DECLARATION = /^\uFEFF?\s*(?:<\?xml[^>]{0,200}\?>)?/

interface OpenElement {
  readonly name: string
  text: string
  readonly children: XmlElement[]
}

/** @throws S3Error MalformedXML */
export function parseXml(source: string, rootName: string): XmlElement {
  const document: OpenElement = {name: '', text: '', children: []}
  const open = [document]
  let elements = 0
  let at = DECLARATION.exec(source)?.[0].length ?? 0
  while (at < source.length) {
    if (source.startsWith('<!--', at)) {
      const end = source.indexOf('-->', at + 4)
      if (end === -1) throw malformed()
      at = end + 3
      continue
    }
    TOKEN.lastIndex = at
    const token = TOKEN.exec(source)
    const parent = open.at(-1)
    if (token === null || parent === undefined) throw malformed()
    at = TOKEN.lastIndex
    const [, closing, name, attributes, selfClosing, text] = token
    if (text !== undefined) parent.text += unescapeXml(text)
    else if (closing !== '') {
      if (open.length === 1 || attributes !== '' || selfClosing !== '' || parent.name !== name)
        throw malformed()
      open.pop()
    } else {
      if (++elements > MAX_ELEMENTS || open.length > MAX_DEPTH) throw malformed()
      const element: OpenElement = {name: name as string, text: '', children: []}
      parent.children.push(element)
      if (selfClosing === '') open.push(element)
    }
  }
  const [root, ...others] = document.children
  const isWhole = open.length === 1 && others.length === 0 && document.text.trim() === ''
  if (!isWhole || root?.name !== rootName) throw malformed()
  return root
}

/** The text of the one child of that name; undefined when there is none. */
export function childText(element: XmlElement, name: string): string | undefined {
  const [first, ...others] = childrenNamed(element, name)
  if (others.length > 0) throw malformed()
  return first?.text
}

export const childrenNamed = (element: XmlElement, name: string) =>
  element.children.filter((child) => child.name === name)

const ENTITIES: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', apos: "'"}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]{1,8}));|&/g, (_, hex, decimal, name) => {
    if (typeof name === 'string' && ENTITIES[name] !== undefined) return ENTITIES[name]
    const code =
      typeof hex === 'string' ? parseInt(hex, 16) : typeof decimal === 'string' ? Number(decimal) : -1
    if (code < 1 || code > 0x10_ffff) throw malformed()
    return String.fromCodePoint(code)
  })
}

const malformed = () => new S3Error('MalformedXML')
