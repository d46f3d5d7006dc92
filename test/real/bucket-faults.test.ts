/** Of the fault matrix of a store every eighth case; all of them with EVERY_FAULT=1, which takes a quarter of an hour. */
import {afterAll, beforeAll, expect, it} from 'vitest'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {everyCase, suffer, titleOf} from '../support/s3/fault-matrix.js'

let store: StoreUnderTest
beforeAll(async () => {
  store = await startStore()
})
afterAll(() => store.close())

const STRIDE = process.env['EVERY_FAULT'] === '1' ? 1 : 8

it.each(cases().map((each) => [titleOf(each), each] as const))('%s', async (_, each) => {
  expect(await suffer(store, each)).toBeGreaterThan(0)
})

function cases() {
  return everyCase().filter((_, index) => index % STRIDE === 0)
}
