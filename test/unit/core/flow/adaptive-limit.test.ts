import {describe, expect, it} from 'vitest'
import {AdaptiveLimit} from '../../../../src/core/flow/index.js'
import {deferred} from '../../../support/eventually.js'

const settled = () => new Promise((resolve) => setImmediate(resolve))
const ok = () => Promise.resolve()
const slowDown = new Error('slow down')
const refuse = () => Promise.reject(slowDown)
const says = (thrown: unknown) => thrown === slowDown

describe('an adaptive limit', () => {
  it('lets through no more than it may, first come, first served', async () => {
    const limit = new AdaptiveLimit(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = [0, 1, 2, 3].map((number) =>
      limit.run(() => new Promise<void>((end) => (begun.push(number), ends.push(end))), says),
    )
    await settled()
    expect(begun).toEqual([0, 1])
    ends[1]?.()
    await settled()
    expect(begun).toEqual([0, 1, 2])
    ends[0]?.()
    await settled()
    expect(begun).toEqual([0, 1, 2, 3])
    for (const end of ends) end()
    await Promise.all(all)
    expect(limit.inUse).toBe(0)
  })

  it('halves once for all that were under way together, and grows back by one at a time', async () => {
    const limit = new AdaptiveLimit(8)
    await Promise.allSettled(Array.from({length: 8}, () => limit.run(refuse, says)))
    expect(limit.current).toBe(4)
    for (let i = 0; i < 4; i += 1) await limit.run(ok, says)
    expect(limit.current).toBe(5)
    for (let i = 0; i < 100; i += 1) await limit.run(ok, says)
    expect(limit.current).toBe(8)
  })

  it('never stops altogether, and other failures change nothing', async () => {
    const limit = new AdaptiveLimit(4)
    for (let i = 0; i < 10; i += 1) await limit.run(refuse, says).catch(() => undefined)
    expect(limit.current).toBe(1)
    const other = new AdaptiveLimit(4)
    await other.run(() => Promise.reject(new Error('no')), says).catch(() => undefined)
    expect(other.current).toBe(4)
  })

  it('stops waiting when the signal aborts', async () => {
    const limit = new AdaptiveLimit(1)
    let end: () => void = () => undefined
    const first = limit.run(() => new Promise<void>((resolve) => (end = resolve)), says)
    const controller = new AbortController()
    const second = limit.run(ok, says, controller.signal)
    controller.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    end()
    await first
    await limit.run(ok, says)
    expect(limit.inUse).toBe(0)
  })

  it('did not let a waiter go that was admitted and told to stop in one turn', async () => {
    const limit = new AdaptiveLimit(1)
    const stop = new AbortController()
    const {promise: gate, resolve: end} = deferred()
    const first = limit.run(() => gate, says)
    const begun: string[] = []
    const second = limit.run(async () => void begun.push('second'), says, stop.signal)
    const third = limit.run(async () => void begun.push('third'), says)
    end()
    // After the one that ends has admitted the next, and before that one has heard of it.
    queueMicrotask(() => stop.abort(new Error('enough')))
    await Promise.all([first, second, third])
    expect(begun).toEqual(['second', 'third'])
    expect(limit.inUse).toBe(0)
  })
})
