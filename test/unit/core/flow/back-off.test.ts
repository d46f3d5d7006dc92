import {describe, expect, it} from 'vitest'
import {pauseAfter, spread} from '../../../../src/core/flow/index.js'

describe('pauses between attempts', () => {
  it('double, or grow as they are told to, up to the longest', () => {
    const pauses = (multiplier?: number) =>
      [1, 2, 3, 4, 2_000].map((failures) =>
        pauseAfter(failures, {initialMs: 100, maxMs: 500, ...(multiplier === undefined ? {} : {multiplier})}),
      )
    expect(pauses()).toEqual([100, 200, 400, 500, 500])
    expect(pauses(1)).toEqual([100, 100, 100, 100, 100])
    expect(pauses(10)).toEqual([100, 500, 500, 500, 500])
  })

  it('are spread to both sides', () => {
    expect([0, 0.5, 1].map((random) => spread(1_000, 0.25, () => random))).toEqual([750, 1_000, 1_250])
  })
})
