import {closeSync, openSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {type StorageWatch, waitOutOutages} from '../../../../src/adapters/files/storage-outage.js'
import {writeFully} from '../../../../src/adapters/system/calls.js'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {naming} from '../../../../src/adapters/system/storage-error.js'
import type {Clock} from '../../../../src/core/ports/index.js'
import {eventually} from '../../../support/eventually.js'
import {recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

function sleepingClock(onSleep: (count: number) => void): Clock & {readonly sleeps: number[]} {
  const sleeps: number[] = []
  return {
    sleeps,
    nowMs: () => 0,
    async sleep(ms, signal) {
      sleeps.push(ms)
      onSleep(sleeps.length)
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
    },
  }
}

const watch = (
  clock: Clock,
  logger = recordedLog(),
  examine: () => Promise<void> = () => Promise.resolve(),
): StorageWatch => ({directory: '/out', clock, logger, examine})

/** A device on which no space is ever left. */
const onFullDevice = async (): Promise<void> => {
  const descriptor = openSync('/dev/full', 'w')
  try {
    await naming('write', '/out/file', () => writeFully(descriptor, Buffer.from('x'), 0))
  } finally {
    closeSync(descriptor)
  }
}

describe.runIf(process.platform === 'linux')('waitOutOutages, on a full disk', () => {
  it('tries again, ever less often, says so once, and goes on by itself', async () => {
    const file = path.join(await temporaryDirectory(), 'file')
    const log = recordedLog()
    let hasSpace = false
    const clock = sleepingClock((count) => {
      hasSpace = count === 10
    })
    const whenStorageAllows = waitOutOutages(watch(clock, log))
    const work = async (): Promise<void> => {
      if (!hasSpace) return onFullDevice()
      const descriptor = openSync(file, 'wx')
      await writeFully(descriptor, Buffer.from('x'), 0)
      closeSync(descriptor)
    }
    await whenStorageAllows(work, () => new AbortController().signal)
    expect(readFileSync(file, 'utf8')).toBe('x')
    expect(clock.sleeps).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000, 10_000])
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
    expect(log.entries[0]?.message).toBe(
      'Cannot write /out/file: no space is left on the disk (ENOSPC). ' +
        'Waiting until that is over; nothing is lost meanwhile.',
    )
  })

  it('says it once for all that wait, and again for the next time', async () => {
    const log = recordedLog()
    let hasSpace = false
    const clock = sleepingClock((count) => {
      hasSpace = count >= 12
    })
    const whenStorageAllows = waitOutOutages(watch(clock, log))
    const all = Array.from({length: 5}, () =>
      whenStorageAllows(
        () => (hasSpace ? Promise.resolve() : onFullDevice()),
        () => new AbortController().signal,
      ),
    )
    await Promise.all(all)
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
  })

  it("ends with the signal's reason", async () => {
    const stop = new AbortController()
    const clock = sleepingClock((count) => {
      if (count === 3) stop.abort(new Error('stopping'))
    })
    const waiting = waitOutOutages(watch(clock))(onFullDevice, () => stop.signal)
    await expect(waiting).rejects.toThrow('stopping')
    expect(clock.sleeps).toHaveLength(3)
  })

  it('waits for nothing else', async () => {
    const clock = sleepingClock(() => undefined)
    const failing = waitOutOutages(watch(clock))(
      () => Promise.reject(new Error('another error')),
      () => new AbortController().signal,
    )
    await expect(failing).rejects.toThrow('another error')
    expect(clock.sleeps).toEqual([])
  })
})

describe('waitOutOutages, on storage that is in trouble', () => {
  const never = () => new AbortController().signal
  const broken = () => Promise.reject(new StreamtoolError('STORAGE_FAILED', 'Cannot write /out/d/f: broken.'))
  const vanished = new StreamtoolError('STORAGE_GONE', '/out is not there any more.')

  it('waits while the storage as a whole is, and says what it found there', async () => {
    const log = recordedLog()
    let isBack = false
    const clock = sleepingClock((count) => {
      isBack = count === 4
    })
    const examine = () => (isBack ? Promise.resolve() : Promise.reject(vanished))
    const whenStorageAllows = waitOutOutages(watch(clock, log, examine))
    expect(await whenStorageAllows(() => (isBack ? Promise.resolve('written') : broken()), never)).toBe(
      'written',
    )
    expect(clock.sleeps).toHaveLength(4)
    expect(log.entries.map(({level, message}) => [level, message])).toEqual([
      ['warn', '/out is not there any more. Waiting until that is over; nothing is lost meanwhile.'],
      ['info', '/out can be written to again: going on.'],
    ])
    expect(log.entries[0]?.facts).toEqual({code: 'STORAGE_GONE', directory: '/out'})
  })

  it('does not wait with a file that fails alone, which it believes at the second time', async () => {
    const clock = sleepingClock(() => undefined)
    let attempts = 0
    const failing = waitOutOutages(watch(clock))(() => {
      attempts += 1
      return broken()
    }, never)
    await expect(failing).rejects.toMatchObject({code: 'STORAGE_FAILED'})
    expect(attempts).toBe(2)
    expect(clock.sleeps).toEqual([])
  })

  it.each([0, 2])(
    'fails no file whose storage is back before it is looked at, after %d pauses',
    async (pauses) => {
      const log = recordedLog()
      let attempts = 0
      let examinations = 0
      const work = (): Promise<string> => (++attempts <= pauses + 1 ? broken() : Promise.resolve('written'))
      const examine = () => (++examinations <= pauses ? Promise.reject(vanished) : Promise.resolve())
      const clock = sleepingClock(() => undefined)
      expect(await waitOutOutages(watch(clock, log, examine))(work, never)).toBe('written')
      expect(clock.sleeps).toHaveLength(pauses)
      expect(log.entries).toHaveLength(pauses === 0 ? 0 : 2)
    },
  )

  it('does not say that it is over when only the waiting is', async () => {
    const [log, stop] = [recordedLog(), new AbortController()]
    const clock = sleepingClock(() => stop.abort(new Error('stopping')))
    const examine = () => Promise.reject(vanished)
    const waiting = waitOutOutages(watch(clock, log, examine))(broken, () => stop.signal)
    await expect(waiting).rejects.toThrow('stopping')
    expect(log.entries.map(({level}) => level)).toEqual(['warn'])
  })

  it('throws what fails alone after the outage', async () => {
    const log = recordedLog()
    let isBack = false
    const clock = sleepingClock((count) => {
      isBack = count === 2
    })
    const examine = () => (isBack ? Promise.resolve() : Promise.reject(vanished))
    await expect(waitOutOutages(watch(clock, log, examine))(broken, never)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    })
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
  })

  it('goes on at once with all that wait when one of them got through', async () => {
    const log = recordedLog()
    let isBack = false
    const sleepers: (() => void)[] = []
    const clock: Clock = {
      nowMs: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          sleepers.push(resolve)
          signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true})
        }),
    }
    const examine = () => (isBack ? Promise.resolve() : Promise.reject(vanished))
    const whenStorageAllows = waitOutOutages(watch(clock, log, examine))
    const all = Promise.all(
      Array.from({length: 20}, () => whenStorageAllows(() => (isBack ? Promise.resolve() : broken()), never)),
    )
    await eventually('all wait', () => sleepers.length === 20)
    isBack = true
    sleepers[7]!()
    await all
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
  })
})
