import {afterEach, describe, expect, it, vi} from 'vitest'
import {clockWarning} from '../../../../src/adapters/s3/clock-skew.js'
import {openBucketOn, startStore} from '../../../support/s3/bucket-under-test.js'

const MINUTE_MS = 60_000

describe("the store's clock", () => {
  afterEach(() => void vi.useRealTimers())

  it('is told of when it is more than five minutes from ours', () => {
    expect(clockWarning(5 * MINUTE_MS)).toBeNull()
    expect(clockWarning(12 * MINUTE_MS)).toContain('12 minutes behind')
    expect(clockWarning(-6.4 * MINUTE_MS)).toContain('6 minutes ahead of')
  })

  it('is read from its answers', async () => {
    const store = await startStore()
    // The Date header that Node writes is not faked.
    vi.useFakeTimers({toFake: ['Date'], now: Date.now() + 10 * MINUTE_MS})
    const {client, destination} = await openBucketOn(store)
    expect(Math.abs(client.clockOffsetMs + 10 * MINUTE_MS)).toBeLessThan(5000)
    await destination.close()
    await store.close()
  })

  it('too far from ours ends the run in plain words, once nothing helped', async () => {
    const store = await startStore()
    const {client, destination} = await openBucketOn(store, {isKnown: true})
    let calls = 0
    store.faults.set('skewed', ({phase}) => {
      if (phase === 'before') calls += 1
      return {kind: 'error', status: 403, code: 'RequestTimeTooSkewed'}
    })
    const body = {content: Buffer.from('x'), checksum: 'jNy0pQ=='}
    await expect(client.put('skewed', body, null, {})).rejects.toMatchObject({
      code: 'STORE_CREDENTIALS',
      exitCode: 3,
      message: expect.stringMatching(/clock is too far from the store's, where it is .* GMT/) as string,
    })
    expect(calls).toBe(3)
    await destination.close()
    await store.close()
  })
})
