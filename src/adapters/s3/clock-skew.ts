/**
 * Whether this machine's clock is the store's. A store refuses what is signed 15 minutes off; the SDK reads the clock of
 * the store from each answer (`Date`), and corrects for it from then on.
 */
const WORTH_TELLING_MS = 5 * 60_000
const MINUTE_MS = 60_000

/** @param offsetMs the store's clock less ours. @returns what to say of it; null when there is nothing to be said */
export function clockWarning(offsetMs: number): string | null {
  if (Math.abs(offsetMs) <= WORTH_TELLING_MS) return null
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS)
  return `This machine's clock is ${minutes} minutes ${offsetMs > 0 ? 'behind' : 'ahead of'} the store's: set it. Requests are corrected for that; how long objects are locked, and what is old enough to be cleaned up, is not.`
}
