/** A set of integers as text, both ends of a run included: `3-5,9`. */
import {IntervalSet} from './interval-set.js'

const RUN = /^(0|[1-9]\d{0,15})(?:-([1-9]\d{0,15}))?$/

/** @param maxRuns a set of more is cut, with `…` at the end */
export function formatRuns(set: IntervalSet, maxRuns = Infinity): string {
  const texts: string[] = []
  for (const {start, end} of set.runs()) {
    if (texts.length === maxRuns) return `${texts.join(',')},…`
    texts.push(end - start === 1 ? String(start) : `${start}-${end - 1}`)
  }
  return texts.join(',')
}

/** @returns null for anything but what {@link formatRuns} writes uncut */
export function parseRuns(text: string): IntervalSet | null {
  const set = new IntervalSet()
  if (text === '') return set
  for (const part of text.split(',')) {
    const match = RUN.exec(part)
    if (!match) return null
    const first = Number(match[1])
    const last = match[2] === undefined ? first : Number(match[2])
    if (last < first || !Number.isSafeInteger(last)) return null
    set.addRun(first, last + 1)
  }
  return set
}
