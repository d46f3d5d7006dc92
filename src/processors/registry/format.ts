/**
 * The cells of OpenMSIStream's registry files (version 1.8, `utilities/dataclass_table.py`): each is what Python's
 * `repr` gives of a value, so texts, paths and dates are in quotes and numbers are not; then the quoting of Python's
 * `csv` with `;` between cells. Its own reader, and scripts, take the outer quotes off and leave the escapes as they are.
 */

/** As `repr` of a str: single quotes unless only they are in it; what cannot be printed is escaped. */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let inside = ''
  for (const char of text) inside += char === quote || char === '\\' ? `\\${char}` : printable(char)
  return quote + inside + quote
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'}
/** What `str.isprintable` is false for: other, and separators save the blank. */
const UNPRINTABLE = /^(?! )[\p{C}\p{Z}]$/u

function printable(char: string): string {
  if (!UNPRINTABLE.test(char)) return char
  const code = char.codePointAt(0) ?? 0
  const hex = (digits: number): string => code.toString(16).padStart(digits, '0')
  return (
    NAMED_ESCAPES[char] ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`)
  )
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `'Thu Jul 31, 2025 at 13:00:05'`, in local time. */
export function dateCell(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${DAYS[date.getDay()] ?? ''} ${MONTHS[date.getMonth()] ?? ''} ${two(date.getDate())}, ${date.getFullYear()}`
  return `'${day} at ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}'`
}

export function lineOf(cells: readonly string[]): string {
  return cells.map((cell) => (/[;"\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(';')
}

export function cellsOf(line: string): string[] {
  const cells: string[] = []
  for (const [, quoted, plain, end] of line.matchAll(CELL)) {
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end === '') break
  }
  return cells
}
const CELL = /(?:"((?:[^"]|"")*)"|([^;]*))(;|$)/g
