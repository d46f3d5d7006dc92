/**
 * The text of `application.properties`, as Java reads it, and in several documents, as Spring Boot does:
 *
 *     # a comment          key=value   key: value   key value      a line that ends in \ goes on in the next
 *     INSTANCE_INDEX=0     \t \n \uXXXX, and \ before a space, =, : or # for the character itself
 *     #---                 another document; what it says wins over the ones before
 */
const DOCUMENT_BREAK = /^[#!]---\s*$/

/** By name, later lines and documents winning. A document for a profile or a platform only is left out. */
export function readProperties(text: string): Map<string, string> {
  const all = new Map<string, string>()
  for (const document of documentsOf(text)) {
    const entries = linesOf(document).map(entryOf)
    if (entries.some(([key]) => key.startsWith('spring.config.activate.'))) continue
    for (const [key, value] of entries) if (key !== '') all.set(key, value)
  }
  return all
}

function documentsOf(text: string): string[][] {
  const documents: string[][] = [[]]
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/))
    if (DOCUMENT_BREAK.test(line)) documents.push([])
    else documents.at(-1)?.push(line)
  return documents
}

/** Without comments and blank lines, continued lines put together. */
function linesOf(document: readonly string[]): string[] {
  const lines: string[] = []
  let begun: string | null = null
  for (const line of document) {
    const trimmed = line.replace(/^[ \t\f]+/, '')
    if (begun === null && (trimmed === '' || /^[#!]/.test(trimmed))) continue
    const whole: string = (begun ?? '') + trimmed
    const continues = /(?:^|[^\\])(?:\\\\)*\\$/.test(whole)
    begun = continues ? whole.slice(0, -1) : null
    if (!continues) lines.push(whole)
  }
  if (begun !== null) lines.push(begun)
  return lines
}

function entryOf(line: string): [key: string, value: string] {
  const key = /^(?:[^\\=: \t\f]|\\.)*/.exec(line)?.[0] ?? ''
  const value = line.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return [unescaped(key), unescaped(value)]
}

const CONTROLS: Readonly<Record<string, string>> = {t: '\t', n: '\n', r: '\r', f: '\f'}

const unescaped = (text: string) =>
  text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.)|$)/g,
    (_, code: string | undefined, character: string | undefined) =>
      code !== undefined
        ? String.fromCharCode(Number.parseInt(code, 16))
        : (CONTROLS[character ?? ''] ?? character ?? ''),
  )
