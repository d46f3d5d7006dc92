/** Time, words, and the points at which a crash is tried. */

export interface Clock {
  nowMs(): number
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Logger {
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
}
export type LogFacts = Readonly<Record<string, unknown>>

/**
 * The points at which a crash must lose nothing. Crash tests preload an observer that kills the process at one
 * of them; a run that never reached its label fails.
 */
export const STEPS = [
  'before-write',
  'after-write',
  'before-verify',
  'after-verify',
  'before-rename',
  'after-rename',
  'before-put',
  'after-put',
  'before-begin',
  'after-begin',
  'before-part',
  'after-part',
  'before-complete',
  'after-complete',
  'before-plugin',
  'after-plugin',
  'before-produce',
  'after-produce',
  'before-commit',
  'after-commit',
] as const
export type Step = (typeof STEPS)[number]

export interface StepObserver {
  /** Synchronous on purpose: nothing may happen between the step and what an observer does. */
  reached(step: Step): void
}
