/** How fast things move, over the last seconds: steady enough to read, quick enough to notice a stall. */
const WINDOW_MS = 10_000

export interface Rate {
  /** @returns bytes per second, or null as long as there is too little to go by */
  observe(bytesDone: number, nowMs: number): number | null
}

export function createRate(): Rate {
  const samples: {readonly bytesDone: number; readonly atMs: number}[] = []
  return {
    observe(bytesDone, nowMs) {
      samples.push({bytesDone, atMs: nowMs})
      while (samples.length > 2 && nowMs - (samples[1]?.atMs ?? nowMs) >= WINDOW_MS) samples.shift()
      const first = samples[0]
      if (first === undefined || nowMs - first.atMs < 500) return null
      return Math.max(0, ((bytesDone - first.bytesDone) * 1_000) / (nowMs - first.atMs))
    },
  }
}
