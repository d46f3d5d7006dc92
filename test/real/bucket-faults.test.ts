/** The fault matrix of a store in full. */
import {afterAll, beforeAll, expect, it} from 'vitest'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {everyCase, suffer, titleOf} from '../support/s3/fault-matrix.js'

let store: StoreUnderTest
beforeAll(async () => {
  store = await startStore()
})
afterAll(() => store.close())

it.each(everyCase().map((each) => [titleOf(each), each] as const))('%s', async (_, each) => {
  expect(await suffer(store, each)).toBeGreaterThan(0)
})
