/** How far the work is, on stderr: drawn at a terminal, as a log line every few seconds elsewhere, or not at all. */
import type {Logger} from '../../core/ports/index.js'
import type {Progress} from '../../core/report.js'
import {progressLine} from './progress-line.js'
import {createRate} from './rate.js'

export interface ProgressDisplay {
  watch(progress: () => Progress): void
  /** @returns whether the headline can be seen now */
  finish(headline: string, success: boolean): Promise<boolean>
}

export const noProgress: ProgressDisplay = {
  watch: () => undefined,
  finish: async () => false,
}

const LINE_EVERY_MS = 5_000

/** Says nothing while nothing moves. */
export function startPlainProgress(logger: Logger): ProgressDisplay {
  const rate = createRate()
  let source: (() => Progress) | null = null
  let last = ''
  const timer = setInterval(() => {
    if (source === null) return
    const progress = source()
    const bytesPerSecond = rate.observe(progress.bytesDone, Date.now())
    const position = JSON.stringify(progress)
    if (position !== last) logger.info(progressLine(progress, bytesPerSecond))
    last = position
  }, LINE_EVERY_MS)
  return {
    watch: (progress) => {
      source = progress
    },
    finish: async () => {
      clearInterval(timer)
      return false
    },
  }
}
