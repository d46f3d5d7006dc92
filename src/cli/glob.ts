/**
 * Patterns for paths, as shells have them:
 *
 *     *       any characters of one name            [a-z]   one of these, [!a-z] none of these
 *     ?       one character                         {a,b}   one or the other
 *     **      as a whole name: any directories      \x      x itself
 *
 * A pattern without a slash is of the name alone, at any depth; one with a slash is of the whole path.
 *
 * Paths come from the topic, so anybody chooses them: matching takes time in proportion to pattern times path at worst,
 * where regular expressions, and the packages that make them of patterns, can take hours over a crafted name.
 */

/** One character of a name, or any run of them. */
type Token = '*' | ((character: string) => boolean)

/** A name of the pattern, or any number of directories. */
type Part = '**' | readonly Token[]

/** More alternatives than anybody writes by hand. */
const MAX_ALTERNATIVES = 1000

/** @throws RangeError, SyntaxError with what is wrong with the pattern */
export function globMatcher(pattern: string): (path: string) => boolean {
  const matchers = alternativesOf(pattern).map(matcherOf)
  return (path) => matchers.some((matches) => matches(path))
}

function matcherOf(pattern: string): (path: string) => boolean {
  const trimmed = pattern.replace(/^(\.\/)+/, '').replace(/^\/+/, '')
  if (!trimmed.includes('/') && trimmed === pattern) {
    const tokens = tokensOf(trimmed)
    return (path) => matchesName(tokens, path.slice(path.lastIndexOf('/') + 1))
  }
  const names = (trimmed.endsWith('/') ? `${trimmed}**` : trimmed).split('/')
  const parts: Part[] = names.map((name) => (name === '**' ? '**' : tokensOf(name)))
  return (path) => matchesSequence(parts, path.split('/'), (part, name) => matchesName(part, name))
}

const matchesName = (tokens: readonly Token[], name: string): boolean =>
  matchesSequence(
    tokens.map((token) => (token === '*' ? '**' : token)),
    Array.from(name),
    (token, character) => token(character),
  )

/**
 * Whether the items are what the pattern says, where `**` stands for any number of them. Going back is only ever needed
 * to the last `**`: whatever an earlier one could take, the last can.
 */
function matchesSequence<P, Item>(
  pattern: readonly ('**' | P)[],
  items: readonly Item[],
  matches: (part: P, item: Item) => boolean,
): boolean {
  let part = 0
  let item = 0
  let anyAt = -1
  let anyTook = 0
  while (item < items.length) {
    const current = pattern[part]
    const it = items[item] as Item
    if (current === '**') {
      anyAt = part++
      anyTook = item
    } else if (current !== undefined && matches(current, it)) {
      part++
      item++
    } else if (anyAt >= 0) {
      part = anyAt + 1
      item = ++anyTook
    } else return false
  }
  while (pattern[part] === '**') part++
  return part === pattern.length
}

function tokensOf(name: string): Token[] {
  const tokens: Token[] = []
  const characters = Array.from(name)
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*')
    } else if (character === '?') tokens.push(() => true)
    else if (character === '[') {
      const end = characters.indexOf(']', characters[i + 1] === ']' ? i + 2 : i + 1)
      if (end < 0) throw new SyntaxError('[ without ]')
      tokens.push(classOf(characters.slice(i + 1, end)))
      i = end
    } else if (character === '\\') {
      const literal = characters[++i]
      if (literal === undefined) throw new SyntaxError('\\ at the end')
      tokens.push((other) => other === literal)
    } else tokens.push((other) => other === character)
  }
  return tokens
}

function classOf(characters: readonly string[]): Token {
  const isNegated = characters[0] === '!' || characters[0] === '^'
  const members = isNegated ? characters.slice(1) : characters
  const ranges: {readonly from: string; readonly to: string}[] = []
  for (let i = 0; i < members.length; i++) {
    const from = members[i] ?? ''
    const isRange = members[i + 1] === '-' && i + 2 < members.length
    ranges.push({from, to: isRange ? (members[i + 2] ?? from) : from})
    if (isRange) i += 2
  }
  return (character) => ranges.some(({from, to}) => character >= from && character <= to) !== isNegated
}

/** `a{b,c{d,e}}` -> `ab`, `acd`, `ace` */
function alternativesOf(pattern: string): string[] {
  const open = indexOutsideEscapes(pattern, '{')
  if (open < 0) return [pattern]
  const choices: string[] = []
  let depth = 0
  let from = open + 1
  for (let i = open; i < pattern.length; i++) {
    const character = pattern[i]
    if (character === '\\') i++
    else if (character === '{') depth++
    else if (character === ',' && depth === 1) {
      choices.push(pattern.slice(from, i))
      from = i + 1
    } else if (character === '}' && --depth === 0) {
      choices.push(pattern.slice(from, i))
      const head = pattern.slice(0, open)
      const alternatives = choices.flatMap((choice) => alternativesOf(head + choice + pattern.slice(i + 1)))
      if (alternatives.length > MAX_ALTERNATIVES)
        throw new RangeError(`more than ${MAX_ALTERNATIVES} alternatives`)
      return alternatives
    }
  }
  throw new SyntaxError('{ without }')
}

function indexOutsideEscapes(text: string, character: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === character) return i
  }
  return -1
}
