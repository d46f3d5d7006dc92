/** What tests can do to bytes on their way. */
import {setTimeout as sleep} from 'node:timers/promises'

/** What becomes of bytes on their way through, in either direction. */
export type Passage = (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>

export function slowly(bytesPerSecond: number): Passage {
  return async function* (bytes) {
    const piece = Math.max(1, Math.floor(bytesPerSecond / 10))
    for await (const data of bytes)
      for (let at = 0; at < data.length; at += piece) {
        const part = data.subarray(at, at + piece)
        await sleep((part.length / bytesPerSecond) * 1000)
        yield part
      }
  }
}

export async function* withOneBitFlipped(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let isFlipped = false
  for await (const data of bytes) {
    if (!isFlipped && data.length > 0) {
      const middle = data.length >> 1
      data.writeUInt8(data.readUInt8(middle) ^ 1, middle)
      isFlipped = true
    }
    yield data
  }
}
