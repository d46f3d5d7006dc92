import {describe, expect, it} from 'vitest'
import {renewing} from '../../../../src/adapters/s3/credentials.js'

const MINUTE = 60_000

function source(lifeMs: number | null) {
  const clock = {nowMs: 0}
  const asked: boolean[] = []
  let fails = false
  const provide = renewing(
    ({forceRefresh}) => {
      asked.push(forceRefresh)
      if (fails) return Promise.reject(new Error('no answer'))
      const key = {accessKeyId: `key-${asked.length}`, secretAccessKey: 's'}
      return Promise.resolve(lifeMs === null ? key : {...key, expiration: new Date(clock.nowMs + lifeMs)})
    },
    () => clock.nowMs,
  )
  return {provide, clock, asked, fail: (is: boolean) => (fails = is)}
}

describe('credentials', () => {
  it('that live for a minute are renewed before it is over, and not with every request', async () => {
    const {provide, clock, asked} = source(MINUTE)
    for (; clock.nowMs < 10 * MINUTE; clock.nowMs += 1000) {
      const {expiration} = await provide()
      expect(expiration?.getTime()).toBeGreaterThan(clock.nowMs)
    }
    expect(asked.length).toBeGreaterThan(10)
    expect(asked.length).toBeLessThan(15)
  })

  it('are asked for once by all that wait for them', async () => {
    const {provide, asked} = source(null)
    await Promise.all(Array.from({length: 20}, () => provide()))
    expect(asked).toEqual([false])
  })

  it('are asked for anew when the store calls them expired, whatever they say', async () => {
    const {provide} = source(null)
    const first = await provide()
    provide.expire(first)
    const second = await provide()
    expect(second.accessKeyId).toBe('key-2')
    provide.expire(first)
    expect(await provide()).toBe(second)
  })

  it('are kept as long as they are good when new ones cannot be had', async () => {
    const {provide, clock, fail} = source(MINUTE)
    const first = await provide()
    fail(true)
    clock.nowMs = 50_000
    expect(await provide()).toBe(first)
    clock.nowMs = 61_000
    await expect(provide()).rejects.toThrow('no answer')
  })
})
