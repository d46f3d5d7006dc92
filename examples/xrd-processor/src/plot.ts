/** A picture of a scan, as SVG: that needs no package. */
import type {Point} from './scan.js'

const MARGIN = 40

export function plot(
  points: readonly Point[],
  peaks: readonly Point[],
  {title, width}: {readonly title: string; readonly width: number},
): string {
  const height = Math.round(width / 2)
  const angles = points.map(({angle}) => angle)
  const [from, to] = [smallest(angles), largest(angles)]
  const highest = largest(points.map(({intensity}) => intensity))
  const x = (angle: number) => place((angle - from) / (to - from || 1), MARGIN, width - MARGIN)
  const y = (intensity: number) => place(intensity / (highest || 1), height - MARGIN, MARGIN)
  const line = points.map(({angle, intensity}) => `${x(angle)},${y(intensity)}`).join(' ')
  const labels = peaks.map(
    ({angle, intensity}) =>
      `  <text x="${x(angle)}" y="${Number(y(intensity)) - 4}" text-anchor="middle">${angle.toFixed(2)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">
  <rect width="100%" height="100%" fill="white"/>
  <text x="${MARGIN}" y="${MARGIN / 2}">${escaped(title)}</text>
  <polyline fill="none" stroke="#1f5fa8" points="${line}"/>
${labels.join('\n')}
  <text x="${MARGIN}" y="${height - MARGIN / 3}">2θ ${from.toFixed(1)}° to ${to.toFixed(1)}°, at most ${highest} counts</text>
</svg>
`
}

/** The share of the way from one to the other. */
const place = (share: number, from: number, to: number) => (from + share * (to - from)).toFixed(1)

// A scan may have more points than a call may have arguments.
const smallest = (numbers: readonly number[]) =>
  numbers.reduce((least, number) => Math.min(least, number), Infinity)
const largest = (numbers: readonly number[]) =>
  numbers.reduce((most, number) => Math.max(most, number), -Infinity)

/** Whoever named the file must not write our SVG. */
const escaped = (text: string) => text.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`)
