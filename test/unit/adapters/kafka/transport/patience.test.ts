import {describe, expect, it} from 'vitest'
import {deferred} from '../../../../support/eventually.js'
import {abortable, patiently} from '../../../../../src/adapters/kafka/transport/patience.js'
import {systemClock} from '../../../../../src/adapters/system/clock.js'

/** Time passes only by sleeping. */
function sleepingClock() {
  let now = 0
  const sleeps: number[] = []
  return {
    sleeps,
    nowMs: () => now,
    sleep: async (ms: number) => {
      sleeps.push(ms)
      now += ms
    },
  }
}

const failing = (...errors: string[]) => {
  let attempt = 0
  return async () => {
    const error = errors[Math.min(attempt++, errors.length - 1)]!
    if (error === 'ok') return attempt
    throw new Error(error)
  }
}

describe('patiently', () => {
  it('tries again until it works, waiting longer each time', async () => {
    const clock = sleepingClock()
    const result = await patiently(failing('a', 'a', 'a', 'ok'), {clock, limitMs: () => 60_000})
    expect(result).toBe(4)
    expect(clock.sleeps).toHaveLength(3)
    expect(clock.sleeps[2]).toBeGreaterThan(clock.sleeps[0]! * 2)
  })

  it('never waits longer than six seconds', async () => {
    const clock = sleepingClock()
    await expect(patiently(failing('a'), {clock, limitMs: () => 300_000})).rejects.toThrow('a')
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(6_000)
  })

  it('gives up when the limit is over, with what was thrown last', async () => {
    const clock = sleepingClock()
    await expect(patiently(failing('first', 'then'), {clock, limitMs: () => 5_000})).rejects.toThrow('then')
    expect(clock.nowMs()).toBe(5_000)
  })

  it('does not try again what has no limit', async () => {
    const clock = sleepingClock()
    await expect(patiently(failing('fatal', 'ok'), {clock, limitMs: () => 0})).rejects.toThrow('fatal')
    expect(clock.sleeps).toEqual([])
  })

  it('does not use up a short limit by a long outage before it', async () => {
    const clock = sleepingClock()
    const outage = Array.from({length: 30}, () => 'outage')
    const result = patiently(failing(...outage, 'topic', 'topic', 'ok'), {
      clock,
      limitMs: (error) => ((error as Error).message === 'topic' ? 20_000 : 300_000),
    })
    await expect(result).resolves.toBe(33)
  })

  it('stops waiting when told to, with the reason', async () => {
    const reason = new Error('enough')
    const abort = new AbortController()
    setTimeout(() => abort.abort(reason), 20)
    const work = patiently(failing('a'), {clock: systemClock, signal: abort.signal, limitMs: () => 60_000})
    await expect(work).rejects.toBe(reason)
  })
})

describe('abortable', () => {
  it('leaves the shared work alone when one who waits gives up', async () => {
    const {promise: shared, resolve: finish} = deferred<string>()
    const abort = new AbortController()
    const impatient = abortable(shared, abort.signal)
    const patient = abortable(shared, new AbortController().signal)
    abort.abort(new Error('not for me'))
    await expect(impatient).rejects.toThrow('not for me')
    finish('done')
    await expect(patient).resolves.toBe('done')
  })

  it('does not leave a failure unhandled when the signal was aborted before', async () => {
    const shared = Promise.reject(new Error('nobody looks'))
    await expect(abortable(shared, AbortSignal.abort(new Error('early')))).rejects.toThrow('early')
  })
})
