/** Answers in XML: a tree of names, texts and lists, written out. */

/** A list repeats its element; undefined leaves it out. */
export type XmlValue = string | number | boolean | XmlTree | readonly XmlValue[] | undefined
export interface XmlTree {
  readonly [element: string]: XmlValue
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

export function xmlDocument(root: string, content: XmlTree | string): string {
  const text = typeof content === 'string' ? escapeXml(content) : inside(content)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${text}</${root}>`
}

/** An `<Error>` has no namespace. */
export function xmlError(content: XmlTree): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inside(content)}</Error>`
}

function inside(tree: XmlTree): string {
  return Object.entries(tree)
    .map(([name, value]) => element(name, value))
    .join('')
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (isList(value)) return value.map((item) => element(name, item)).join('')
  return `<${name}>${typeof value === 'object' ? inside(value) : escapeXml(String(value))}</${name}>`
}

const isList = (value: XmlValue): value is readonly XmlValue[] => Array.isArray(value)

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** Control characters, which a key may have, are not allowed in XML 1.0, but S3 writes them so all the same. */
export function escapeXml(text: string): string {
  return text.replace(
    /[&<>"\u0000-\u0008\u000b-\u001f]/g,
    (character) => ESCAPES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  )
}
