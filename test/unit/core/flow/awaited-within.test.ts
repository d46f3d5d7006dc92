import {describe, expect, it} from 'vitest'
import {awaitedWithin} from '../../../../src/core/flow/index.js'

/** Whose time comes when it is told so. */
function handClock() {
  const sleeps: {readonly ms: number; readonly end: () => void; isOver: boolean}[] = []
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const entry = {ms, end: resolve, isOver: false}
      sleeps.push(entry)
      signal?.addEventListener('abort', () => {
        entry.isOver = true
        reject(signal.reason as Error)
      })
    })
  return {sleep, sleeps}
}

describe('awaitedWithin', () => {
  it('ends with the work, and leaves no timer', async () => {
    const clock = handClock()
    await awaitedWithin(100, Promise.resolve(), clock)
    expect(clock.sleeps).toMatchObject([{ms: 100, isOver: true}])
  })

  it('ends without the work when its time is over', async () => {
    const clock = handClock()
    const waiting = awaitedWithin(100, new Promise(() => undefined), clock)
    clock.sleeps[0]?.end()
    await waiting
  })

  it('fails as the work does, and leaves no timer', async () => {
    const clock = handClock()
    await expect(awaitedWithin(100, Promise.reject(new Error('no')), clock)).rejects.toThrow('no')
    expect(clock.sleeps).toMatchObject([{isOver: true}])
  })
})
