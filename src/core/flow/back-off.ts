/** Growing pauses between attempts, and how they are spread, so that those who failed together do not come back together. */

export interface BackOff {
  /** The pause after the first failure. */
  readonly initialMs: number
  readonly maxMs: number
  /** How much longer each is than the one before; 2 unless given. */
  readonly multiplier?: number
}

/** @param failures how many attempts have failed so far, 1 or more */
export function pauseAfter(failures: number, {initialMs, maxMs, multiplier = 2}: BackOff): number {
  return Math.min(maxMs, initialMs * multiplier ** (failures - 1))
}

/**
 * Somewhere around what was meant.
 * @param share of it, more or less; 0 <= share <= 1
 * @param random 0 <= x < 1
 */
export function spread(ms: number, share: number, random: () => number): number {
  return ms * (1 - share + 2 * share * random())
}
