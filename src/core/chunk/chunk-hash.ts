/** SHA-512 of a chunk's data: most of what a chunk costs, so of large ones it is computed on another thread. */
import {createHash, webcrypto} from 'node:crypto'

/** Handing over less costs more than it spares. */
const ELSEWHERE_BYTES = 64 * 1024

export function chunkHash(data: Buffer): Buffer {
  return createHash('sha512').update(data).digest()
}

/** Takes a copy before it returns, so the data may be reused at once. */
export function chunkHashAside(data: Buffer): Buffer | Promise<Buffer> {
  if (data.length < ELSEWHERE_BYTES) return chunkHash(data)
  return webcrypto.subtle.digest('SHA-512', data).then((hash) => Buffer.from(hash))
}
