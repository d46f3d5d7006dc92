/** Where a file is cut. */
export interface SplitPlan {
  readonly count: number
  /** @param index 1-based */
  chunk(index: number): {readonly offsetBytes: number; readonly byteLength: number}
}

/** All chunks but the last have `chunkBytes`; an empty file is one empty chunk. */
export function splitPlan(sizeBytes: number, chunkBytes: number): SplitPlan {
  const count = Math.max(1, Math.ceil(sizeBytes / chunkBytes))
  return {
    count,
    chunk(index) {
      const offsetBytes = (index - 1) * chunkBytes
      return {offsetBytes, byteLength: Math.min(chunkBytes, sizeBytes - offsetBytes)}
    },
  }
}
