import {expect, it} from 'vitest'
import {severalOutages} from '../../../src/cli/outages.js'

it('trouble is over when nothing is in trouble any more', () => {
  const told: (string | null)[] = []
  const outageOf = severalOutages((reason) => told.push(reason))
  const [store, disk] = [outageOf(), outageOf()]
  store('away')
  disk('full')
  store(null)
  disk(null)
  expect(told).toEqual(['away', 'away', 'full', null])
})
