/** A snapshot of the work as one line: what is done of how much, how fast, and how long it will still take. */
import type {Progress} from '../../core/report.js'
import {counted, humanBytes, humanBytesOf, humanCount, humanSeconds, printable} from './quantities.js'

export function progressLine(progress: Progress, bytesPerSecond: number | null): string {
  const parts = [filesPart(progress), bytesPart(progress)]
  if (progress.filesOpen > 0) parts.push(`${humanCount(progress.filesOpen)} open`)
  if (bytesPerSecond !== null && bytesPerSecond > 0) parts.push(`${humanBytes(bytesPerSecond)}/s`)
  const left = secondsLeft(progress, bytesPerSecond)
  if (left !== null) parts.push(`${humanSeconds(left)} left`)
  return `${progress.phase}: ${parts.join(', ')}`
}

const filesPart = ({filesDone, filesTotal, unit = 'file'}: Progress) =>
  filesTotal === null ? counted(filesDone, unit) : `${humanCount(filesDone)} of ${counted(filesTotal, unit)}`

const bytesPart = ({bytesDone, bytesTotal}: Progress) =>
  bytesTotal === null ? humanBytes(bytesDone) : humanBytesOf(bytesDone, bytesTotal)

function secondsLeft({bytesDone, bytesTotal}: Progress, bytesPerSecond: number | null): number | null {
  if (bytesTotal === null || bytesPerSecond === null || bytesPerSecond === 0 || bytesDone >= bytesTotal)
    return null
  return (bytesTotal - bytesDone) / bytesPerSecond
}

/** Shortens the middle of a path, whose ends say most. */
export function shortened(path: string, width: number): string {
  const shown = printable(path)
  if (shown.length <= width) return shown
  const head = Math.max(0, Math.floor((width - 1) / 3))
  const tail = Math.max(0, width - 1 - head)
  return `${shown.slice(0, head)}…${shown.slice(shown.length - tail)}`
}
