import {describe, expect, it} from 'vitest'
import {abortable, Gauge, RecentKeys, Semaphore} from '../../../../src/core/flow/index.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('Semaphore', () => {
  it('admits as much as fits, in the order of asking', async () => {
    const semaphore = new Semaphore(10)
    const order: string[] = []
    const releaseA = await semaphore.acquire(6)
    const b = semaphore.acquire(6).then((release) => (order.push('b'), release))
    const c = semaphore.acquire(1).then((release) => (order.push('c'), release))
    await turn()
    expect(order).toEqual([])
    releaseA()
    const releases = await Promise.all([b, c])
    expect(order).toEqual(['b', 'c'])
    for (const release of releases) release()
    expect(semaphore.inUse).toBe(0)
  })

  it('lets something larger than all of it pass alone', async () => {
    const semaphore = new Semaphore(10)
    const release = await semaphore.acquire(1_000_000)
    expect(semaphore.inUse).toBe(10)
    release()
    release()
    expect(semaphore.inUse).toBe(0)
  })

  it('an aborted wait takes nothing, and frees those behind it', async () => {
    const semaphore = new Semaphore(10)
    const release = await semaphore.acquire(5)
    const abort = new AbortController()
    const large = semaphore.acquire(10, abort.signal)
    const small = semaphore.acquire(5)
    abort.abort(new Error('no more'))
    await expect(large).rejects.toThrow('no more')
    ;(await small)()
    release()
    expect(semaphore.inUse).toBe(0)
  })

  it('gives back what a failing work took', async () => {
    const semaphore = new Semaphore(1)
    await expect(semaphore.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(semaphore.inUse).toBe(0)
  })

  it('did not forget another that waits when one is told to stop in the turn in which it is admitted', async () => {
    const semaphore = new Semaphore(1)
    const stop = new AbortController()
    const release = await semaphore.acquire()
    const second = semaphore.acquire(1, stop.signal)
    const third = semaphore.acquire()
    release()
    stop.abort()
    const giveBack = await second
    giveBack()
    const last = await third
    last()
    expect(semaphore.inUse).toBe(0)
  })
})

describe('Gauge', () => {
  it('is awaited down to a limit', async () => {
    const gauge = new Gauge()
    gauge.add(3)
    let reached = false
    const waiting = gauge.atMost(1).then(() => (reached = true))
    gauge.subtract(1)
    await turn()
    expect(reached).toBe(false)
    gauge.subtract(1)
    await waiting
    expect(gauge.value).toBe(1)
  })
})

describe('RecentKeys', () => {
  it('forgets what was set longest ago', () => {
    const keys = new RecentKeys<number>(2)
    keys.set('a', 1)
    keys.set('b', 2)
    keys.set('a', 3)
    keys.set('c', 4)
    expect([keys.get('a'), keys.get('b'), keys.get('c')]).toEqual([3, undefined, 4])
  })
})

describe('abortable', () => {
  it('rejects with the reason at once, and swallows what the work does later', async () => {
    const abort = new AbortController()
    let fail: (error: Error) => void = () => undefined
    const work = new Promise<void>((_, reject) => (fail = reject))
    const waiting = abortable(work, abort.signal)
    abort.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    fail(new Error('late'))
    await turn()
  })
})
