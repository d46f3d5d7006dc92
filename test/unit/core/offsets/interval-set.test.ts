import {describe, expect, it} from 'vitest'
import {IntervalSet} from '../../../../src/core/offsets/index.js'

const runsOf = (set: IntervalSet) => [...set.runs()].map(({start, end}) => [start, end])

describe('IntervalSet', () => {
  it('joins neighbours into one run', () => {
    const set = new IntervalSet()
    for (const value of [5, 1, 3, 2, 9, 4]) expect(set.add(value)).toBe(true)
    expect(runsOf(set)).toEqual([
      [1, 6],
      [9, 10],
    ])
    expect(set.size).toBe(6)
  })

  it('says when a value was there already', () => {
    const set = IntervalSet.of([{start: 0, end: 3}])
    expect(set.add(2)).toBe(false)
    expect(set.add(3)).toBe(true)
  })

  it('swallows the runs that a longer one covers', () => {
    const set = IntervalSet.of([
      {start: 2, end: 4},
      {start: 6, end: 8},
      {start: 20, end: 21},
    ])
    set.addRun(3, 10)
    expect(runsOf(set)).toEqual([
      [2, 10],
      [20, 21],
    ])
  })

  it('cuts a run in the middle when what is below is removed', () => {
    const set = IntervalSet.of([
      {start: 0, end: 5},
      {start: 7, end: 9},
    ])
    set.removeBelow(3)
    expect(runsOf(set)).toEqual([
      [3, 5],
      [7, 9],
    ])
    set.removeBelow(8)
    expect(runsOf(set)).toEqual([[8, 9]])
  })

  it('lists what is missing in a range', () => {
    const set = IntervalSet.of([
      {start: 2, end: 4},
      {start: 6, end: 7},
    ])
    expect([...set.gaps(1, 9)]).toEqual([
      {start: 1, end: 2},
      {start: 4, end: 6},
      {start: 7, end: 9},
    ])
    expect([...set.gaps(2, 4)]).toEqual([])
    expect([...set.gaps(3, 5)]).toEqual([{start: 4, end: 5}])
  })
})
