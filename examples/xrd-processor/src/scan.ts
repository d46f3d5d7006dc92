/**
 * A scan as the diffractometer exports it:
 *
 *     [Measurement conditions]
 *     Sample identification,Si 640
 *     [Scan points]
 *     Angle,Intensity
 *     20.0063,153
 */

export interface Point {
  /** 2θ, in degrees. */
  readonly angle: number
  /** Counts. */
  readonly intensity: number
}

export interface Scan {
  readonly conditions: Readonly<Record<string, string>>
  readonly points: readonly Point[]
}

/** @throws Error that names the line */
export function readScan(text: string): Scan {
  const conditions: Record<string, string> = {}
  const points: Point[] = []
  let section = ''
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    const [key = '', value = ''] = line.split(',')
    if (line === '') continue
    if (/^\[.*\]$/.test(line)) section = line
    else if (section === '[Measurement conditions]') conditions[key] = line.slice(key.length + 1)
    else if (section === '[Scan points]' && line !== 'Angle,Intensity') {
      const point = {angle: numberIn(key), intensity: numberIn(value)}
      if (Number.isNaN(point.angle) || Number.isNaN(point.intensity))
        throw new Error(`line ${index + 1} is no scan point: ${line.slice(0, 80)}`)
      points.push(point)
    }
  }
  if (points.length === 0) throw new Error('there are no [Scan points] in it')
  return {conditions, points}
}

/** Unlike `Number`, reads an empty text as no number. */
const numberIn = (text: string) => (text.trim() === '' ? Number.NaN : Number(text))

/** Points that are higher than their neighbours, and at least `share` of the highest. */
export function peaksOf(points: readonly Point[], share: number): Point[] {
  const highest = points.reduce((most, {intensity}) => Math.max(most, intensity), 0)
  return points.filter(({intensity}, index) => {
    const before = points[index - 1]?.intensity ?? 0
    const after = points[index + 1]?.intensity ?? 0
    return intensity >= share * highest && intensity > before && intensity >= after
  })
}
