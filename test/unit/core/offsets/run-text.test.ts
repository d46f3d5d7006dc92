import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatRuns, IntervalSet, parseRuns} from '../../../../src/core/offsets/index.js'

const setOf = (...values: number[]) => IntervalSet.of(values.map((value) => ({start: value, end: value + 1})))

describe('runs as text', () => {
  it('name single ones and both ends of a run', () => {
    expect(formatRuns(setOf(3, 4, 5, 9))).toBe('3-5,9')
    expect(formatRuns(setOf(0, 1))).toBe('0-1')
    expect(formatRuns(setOf())).toBe('')
  })

  it('are cut after so many, and then cannot be read back', () => {
    expect(formatRuns(setOf(1, 3, 5, 7), 2)).toBe('1,3,…')
    expect(formatRuns(setOf(1, 3), 2)).toBe('1,3')
    expect(parseRuns('1,3,…')).toBeNull()
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), (values) => {
        const set = setOf(...values)
        expect([...parseRuns(formatRuns(set))!.runs()]).toEqual([...set.runs()])
      }),
    )
  })

  it.each([
    'a',
    '-',
    '1-',
    '-1',
    '1--2',
    '3-2',
    '01',
    '1,',
    ',1',
    ' 1',
    '1.5',
    '1e3',
    '0x1',
    '9007199254740993',
    '1-9007199254740992',
  ])('that are none are refused: %s', (text) => expect(parseRuns(text)).toBeNull())

  it('take the largest offset there is', () => {
    expect(parseRuns('9007199254740990')?.has(9_007_199_254_740_990)).toBe(true)
  })

  it('never throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseRuns(text)))
    fc.assert(fc.property(fc.stringMatching(/^[0-9,-]{0,30}$/), (text) => void parseRuns(text)))
  })
})
