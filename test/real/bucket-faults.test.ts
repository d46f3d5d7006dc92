/**
 * The fault matrix of a store: in full on the sandbox's bucket; on versitygw, which knows nothing of the faults that
 * befall its calls on the way to it, so many cases that any two values of two axes meet.
 */
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {everyCase, type FaultCase, pairwiseCases, suffer, titleOf} from '../support/s3/fault-matrix.js'
import {startVersitygwStore} from '../support/s3/versitygw-store.js'

// They wait, for answers that do not come and before they try again, more than they compute.
vi.setConfig({maxConcurrency: 6})

const stores: {name: string; start: () => Promise<StoreUnderTest>; cases: FaultCase[]}[] = [
  {name: "the sandbox's bucket", start: () => startStore(), cases: everyCase()},
  {name: 'versitygw', start: startVersitygwStore, cases: pairwiseCases(everyCase())},
]

describe.each(stores)('a file reaches $name, whole and once, through', ({start, cases}) => {
  let store: StoreUnderTest
  beforeAll(async () => {
    store = await start()
  })
  afterAll(() => store.close())

  it.concurrent.each(cases.map((each) => [titleOf(each), each] as const))('%s', async (_, each) => {
    expect(await suffer(store, each)).toBeGreaterThan(0)
  })
})
