import {describe, expect, it} from 'vitest'
import {nearest} from '../../../src/core/nearest.js'

describe('the nearest name', () => {
  const names = ['topic', 'brokers', 'group', 'chunk-size', 'incomplete-after']

  it.each([
    ['topc', 'topic'],
    ['tpoic', 'topic'],
    ['broker', 'brokers'],
    ['BROKERS', 'brokers'],
    ['chunksize', 'chunk-size'],
    ['incomplete', 'incomplete-after'],
  ])('for %s is %s', (written, expected) => expect(nearest(written, names)).toBe(expected))

  it.each(['', 'x', 'password', 'completely-else'])('for %j is none', (written) =>
    expect(nearest(written, names)).toBeNull(),
  )
})
