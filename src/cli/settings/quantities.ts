/** Sizes (`512KiB`) and durations (`10m`): how users write them, and how they are written back. */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  // As dd and most tools of the field read them: binary.
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** @returns bytes, or null when it is not a size. A bare number is bytes. */
export function parseSize(written: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(written.trim())
  if (match === null) return null
  const [, amount = '', unit = ''] = match
  const factor = unit === '' ? 1 : SIZE_UNITS[unit.toLowerCase()]
  return factor === undefined ? null : wholeNumber(Number(amount) * factor)
}

/** @returns milliseconds, or null when it is not a duration. Units are needed, and may follow each other: `1h30m`. */
export function parseDuration(written: string): number | null {
  const trimmed = written.trim()
  if (trimmed === '0') return 0
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(trimmed)) return null
  let totalMs = 0
  for (const [, amount = '', unit = ''] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g))
    totalMs += Number(amount) * (DURATION_UNITS[unit] ?? Number.NaN)
  return wholeNumber(totalMs)
}

/** The shortest exact way to write it: 524288 -> `512KiB`. */
export function writeSize(bytes: number): string {
  return writeIn(bytes, [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
    ['B', 1],
  ])
}

/** The shortest exact way to write it: 600000 -> `10m`. */
export function writeDuration(ms: number): string {
  if (ms === 0) return '0'
  return writeIn(ms, [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ])
}

function writeIn(amount: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, factor]) => amount >= factor && amount % factor === 0) ?? ['', 1]
  return `${amount / factor}${unit}`
}

/** Fractions of a byte or a millisecond are refused, and what a number cannot hold exactly. */
function wholeNumber(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null
}
