import {describe, expect, it} from 'vitest'
import {BufferPool} from '../../../../src/core/flow/index.js'

describe('BufferPool', () => {
  it('gives a buffer that was given back to the next', () => {
    const pool = new BufferPool(1000, 2)
    const first = pool.take()
    expect(first.length).toBe(1000)
    pool.give(first)
    expect(pool.take()).toBe(first)
    expect(pool.take()).not.toBe(first)
  })

  it('keeps no more than it was told to', () => {
    const pool = new BufferPool(10, 1)
    const [first, second] = [pool.take(), pool.take()]
    pool.give(first)
    pool.give(second)
    expect(pool.take()).toBe(first)
    expect(pool.take()).not.toBe(second)
  })
})
