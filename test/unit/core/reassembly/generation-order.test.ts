import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {GenerationOrder} from '../../../../src/core/ports/index.js'
import {compareGenerations, isOlderThanHeld} from '../../../../src/core/reassembly/generation-order.js'

const at = (
  partition: number,
  offset: number,
  timestampMs = -1,
  mtimeMs: number | null = null,
): GenerationOrder => ({partition, offset, timestampMs, mtimeMs})

const anyOrder: fc.Arbitrary<GenerationOrder> = fc.record({
  partition: fc.nat(2),
  offset: fc.nat(5),
  timestampMs: fc.integer({min: -1, max: 4}),
  mtimeMs: fc.option(fc.nat(3)),
})

describe('compareGenerations', () => {
  it.each([
    ['the offset within a partition, whatever the times', at(1, 8, 100, 100), at(1, 9, 50, 50)],
    ['the record time across partitions, whatever the offsets', at(1, 90, 50, 9), at(0, 8, 60, 1)],
    ['the mtime across partitions at the same record time', at(1, 90, 50, 1), at(0, 8, 50, 2)],
    ['the mtime when a record time is not known', at(1, 90, -1, 1), at(0, 8, 50, 2)],
  ])('goes by %s', (_, older, newer) => {
    expect(compareGenerations(older, newer)).toBeLessThan(0)
    expect(compareGenerations(newer, older)).toBeGreaterThan(0)
  })

  it('takes those that differ in nothing known for the same age', () => {
    expect(compareGenerations(at(0, 1, 5, 7), at(0, 1, 5, 7))).toBe(0)
    expect(compareGenerations(at(0, 1, 5, null), at(1, 9, 5, 7))).toBe(0)
    expect(compareGenerations(at(0, 1), at(1, 9))).toBe(0)
  })

  it('says the opposite when asked the other way round', () => {
    fc.assert(
      fc.property(anyOrder, anyOrder, (a, b) => {
        expect(Math.sign(compareGenerations(a, b)) + Math.sign(compareGenerations(b, a))).toBe(0)
      }),
    )
  })
})

describe('isOlderThanHeld', () => {
  it('refuses what is older by offset', () => {
    expect(isOlderThanHeld(at(0, 1, 10), at(0, 2, 20), true)).toBe(true)
    expect(isOlderThanHeld(at(0, 1), at(0, 2), true)).toBe(true)
  })

  it('takes a smaller offset with a later time: the topic was made anew', () => {
    expect(isOlderThanHeld(at(0, 0, 30), at(0, 2, 20), true)).toBe(false)
  })

  it('compares no offsets of different topics', () => {
    expect(isOlderThanHeld(at(0, 1, 20), at(0, 2, 20), false)).toBe(false)
    expect(isOlderThanHeld(at(0, 9, 10), at(0, 2, 20), false)).toBe(true)
  })

  it('refuses nothing that is not older', () => {
    fc.assert(
      fc.property(anyOrder, anyOrder, (incoming, held) => {
        if (compareGenerations(incoming, held) >= 0) expect(isOlderThanHeld(incoming, held, true)).toBe(false)
      }),
    )
  })
})
