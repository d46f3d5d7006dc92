/** How long to wait before trying once more. */
export interface BackOff {
  readonly initialMs: number
  readonly maxMs: number
  readonly multiplier: number
}

/** @param failures how many attempts have failed so far, 1 or more */
export function pauseAfter(failures: number, {initialMs, maxMs, multiplier}: BackOff): number {
  return Math.min(maxMs, initialMs * multiplier ** (failures - 1))
}
