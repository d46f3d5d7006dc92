import {describe, expect, it} from 'vitest'
import {
  decodeCommitMetadata,
  encodeCommitMetadata,
  MAX_METADATA_BYTES,
} from '../../../../src/core/offsets/index.js'

const scope = {clusterId: 'MkU3OEVBNTcwNTJENDM2Qk', topic: 'files', partition: 3, base: 1000}
const runs = [
  {start: 1001, end: 1005},
  {start: 1010, end: 5000},
]

describe('commit metadata', () => {
  it('is empty when nothing is done above the safe offset', () => {
    expect(encodeCommitMetadata(scope, [])).toEqual({metadata: '', droppedOffsets: 0})
  })

  it('comes back as it was', () => {
    const {metadata} = encodeCommitMetadata(scope, runs)
    expect(metadata).toMatch(/^st1:[A-Za-z0-9+/=]+$/)
    expect(decodeCommitMetadata(scope, metadata)).toEqual(runs)
  })

  it.each([
    ['another cluster, where MirrorMaker put it', {...scope, clusterId: 'other'}],
    ['another topic', {...scope, topic: 'files.copy'}],
    ['another partition', {...scope, partition: 4}],
    ['a translated offset', {...scope, base: 999}],
  ])('of %s is foreign', (_, other) => {
    expect(decodeCommitMetadata(other, encodeCommitMetadata(scope, runs).metadata)).toBeNull()
  })

  it.each([
    ['empty', ''],
    ["somebody else's text", '{"offset":5}'],
    ['a prefix alone', 'st1:'],
    ['no base64', 'st1:%%%%'],
    ['a deflate bomb', 'st1:' + 'A'.repeat(4000)],
    ['longer than a broker takes', 'st1:' + 'A'.repeat(5000)],
  ])('that is %s is ignored', (_, text) => {
    expect(decodeCommitMetadata(scope, text)).toBeNull()
  })

  it('with any character changed is ignored', () => {
    const {metadata} = encodeCommitMetadata(scope, runs)
    for (let at = 4; at < metadata.length; at++) {
      const other = metadata[at] === 'A' ? 'B' : 'A'
      const damaged = metadata.slice(0, at) + other + metadata.slice(at + 1)
      // Padding bits of base64 carry nothing: such a change may go unnoticed, and does no harm.
      const result = decodeCommitMetadata(scope, damaged)
      if (result !== null) expect(result).toEqual(runs)
    }
  })

  it('of very regular runs, which deflate to nearly nothing, can still be read back', () => {
    const regular = Array.from({length: 60_000}, (_, i) => ({start: 1001 + i * 2, end: 1002 + i * 2}))
    const {metadata, droppedOffsets} = encodeCommitMetadata(scope, regular)
    expect(decodeCommitMetadata(scope, metadata)).toHaveLength(regular.length - droppedOffsets)
  })

  it('that does not fit leaves the shortest runs off, and says what that costs', () => {
    const long = Array.from({length: 20}, (_, i) => ({
      start: 2_000_000 + i * 10_000,
      end: 2_005_000 + i * 10_000 + i,
    }))
    // Lengths and gaps that deflate cannot shorten.
    let seed = 42
    const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below
    const noise = Array.from({length: 6000}, (_, i) => {
      const start = 1001 + i * 300 + random(149)
      return {start, end: start + 1 + random(151)}
    })
    const {metadata, droppedOffsets} = encodeCommitMetadata(scope, [...noise, ...long])
    expect(metadata.length).toBeLessThanOrEqual(MAX_METADATA_BYTES)
    expect(metadata.length).toBeGreaterThan(MAX_METADATA_BYTES * 0.9)
    const kept = decodeCommitMetadata(scope, metadata)!
    for (const run of long) expect(kept).toContainEqual(run)
    const lengthOf = (all: typeof noise) => all.reduce((sum, {start, end}) => sum + end - start, 0)
    expect(droppedOffsets).toBe(lengthOf(noise) + lengthOf(long) - lengthOf(kept))
    const shortestKept = Math.min(...kept.map(({start, end}) => end - start))
    const isKept = (start: number) => kept.some((run) => run.start === start)
    const longestDropped = Math.max(
      ...noise.filter(({start}) => !isKept(start)).map(({start, end}) => end - start),
    )
    expect(shortestKept).toBeGreaterThanOrEqual(longestDropped)
  })
})
