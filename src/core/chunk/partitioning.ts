/**
 * Partition by file: every chunk, and every generation, of one path goes to one partition, as Kafka's own
 * default partitioner would place a record with the path as its key (murmur2 with its seed, sign bit cleared).
 */
export function partitionForPath(path: string, partitionCount: number): number {
  return (murmur2(Buffer.from(path)) & 0x7fffffff) % partitionCount
}

/** 32-bit MurmurHash2 (Austin Appleby, public domain), seed 0x9747b28c as Kafka has it. */
export function murmur2(data: Buffer): number {
  const multiplier = 0x5bd1e995
  let hash = 0x9747b28c ^ data.length
  const tail = data.length & ~3
  for (let i = 0; i < tail; i += 4) {
    let k = Math.imul(data.readInt32LE(i), multiplier)
    k ^= k >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(k, multiplier)
  }
  if (data.length > tail) {
    for (let i = data.length - 1; i >= tail; i--) hash ^= data.readUInt8(i) << ((i - tail) * 8)
    hash = Math.imul(hash, multiplier)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}
