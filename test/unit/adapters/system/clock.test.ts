import {describe, expect, it} from 'vitest'
import {systemClock} from '../../../../src/adapters/system/clock.js'

describe('systemClock', () => {
  it('sleeps about as long as it is told', async () => {
    const before = systemClock.nowMs()
    await systemClock.sleep(30)
    expect(systemClock.nowMs() - before).toBeGreaterThanOrEqual(29)
  })

  it("rejects with the signal's reason, before and during a sleep", async () => {
    const stop = new AbortController()
    const sleeping = systemClock.sleep(60_000, stop.signal)
    stop.abort(new Error('stopping'))
    await expect(sleeping).rejects.toThrow('stopping')
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toThrow('stopping')
  })
})
