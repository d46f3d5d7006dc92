/** Amounts as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 GiB`: three significant digits at most. */
export function humanBytes(bytes: number): string {
  const [amount, unit] = scaled(bytes)
  return `${amount} ${unit}`
}

/** `1.2 of 5.0 GiB`, or `900 KiB of 5.0 GiB` when the units differ. */
export function humanBytesOf(bytes: number, total: number): string {
  const [amount, unit] = scaled(bytes)
  const [totalAmount, totalUnit] = scaled(total)
  return unit === totalUnit
    ? `${amount} of ${totalAmount} ${unit}`
    : `${amount} ${unit} of ${totalAmount} ${totalUnit}`
}

function scaled(bytes: number): readonly [string, string] {
  let value = bytes
  let step = 0
  // 1023.6 KiB would round to "1024 KiB".
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1024
    step += 1
  }
  const digits = step === 0 || value >= 99.95 ? 0 : 1
  return [value.toFixed(digits), UNITS[step] ?? 'B']
}

/** `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function humanSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.round(whole / 60)
  return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
}

const pair = (first: number, firstUnit: string, second: number, secondUnit: string) =>
  second === 0 ? `${first} ${firstUnit}` : `${first} ${firstUnit} ${second} ${secondUnit}`

/** `12,345` */
export const humanCount = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ',')

/** `1 file`, `2 files` */
export const counted = (count: number, noun: string) =>
  `${humanCount(count)} ${noun}${count === 1 ? '' : 's'}`

/**
 * What is written to a terminal may come from a topic: control characters could move its cursor or retitle it.
 * They are shown as `\x1b`.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}
