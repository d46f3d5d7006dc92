/** The fault matrix of a store, as much of it as fits into the test command; test/real/bucket-faults.test.ts runs it in full. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {everyCase, fewCases, suffer, titleOf} from '../support/s3/fault-matrix.js'

let store: StoreUnderTest
beforeAll(async () => {
  store = await startStore()
})
afterAll(() => store.close())

describe('a file reaches its bucket, whole and once, through', () => {
  it.each(fewCases(everyCase()).map((each) => [titleOf(each), each] as const))('%s', async (_, each) => {
    expect(await suffer(store, each)).toBeGreaterThan(0)
  })
})
