import {closeSync, openSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {waitOutFullDisk} from '../../../../src/adapters/files/full-disk.js'
import {writeFully} from '../../../../src/adapters/system/calls.js'
import {naming} from '../../../../src/adapters/system/storage-error.js'
import type {Clock} from '../../../../src/core/ports/index.js'
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

/** A device on which no space is ever left. */
const onFullDevice = async (): Promise<void> => {
  const descriptor = openSync('/dev/full', 'w')
  try {
    await naming('write', '/out/file', () => writeFully(descriptor, Buffer.from('x'), 0))
  } finally {
    closeSync(descriptor)
  }
}

describe.runIf(process.platform === 'linux')('waitOutFullDisk', () => {
  it('tries again, ever less often, says so once, and goes on by itself', async () => {
    const file = path.join(await temporaryDirectory(), 'file')
    const log = recordedLog()
    let hasSpace = false
    const clock = sleepingClock((count) => {
      hasSpace = count === 10
    })
    const whenSpaceAllows = waitOutFullDisk('/out', clock, log)
    const work = async (): Promise<void> => {
      if (!hasSpace) return onFullDevice()
      const descriptor = openSync(file, 'wx')
      await writeFully(descriptor, Buffer.from('x'), 0)
      closeSync(descriptor)
    }
    await whenSpaceAllows(work, () => new AbortController().signal)
    expect(readFileSync(file, 'utf8')).toBe('x')
    expect(clock.sleeps).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
    expect(log.entries.map(({level}) => level)).toEqual(['warn', 'info'])
    expect(log.entries[0]?.message).toBe(
      'Cannot write /out/file: no space is left on the disk (ENOSPC). Waiting for space.',
    )
  })

  it('says it once for all that wait, and again for the next time', async () => {
    const log = recordedLog()
    let hasSpace = false
    const clock = sleepingClock((count) => {
      hasSpace = count >= 12
    })
    const whenSpaceAllows = waitOutFullDisk('/out', clock, log)
    const all = Array.from({length: 5}, () =>
      whenSpaceAllows(
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
    const waiting = waitOutFullDisk('/out', clock, recordedLog())(onFullDevice, () => stop.signal)
    await expect(waiting).rejects.toThrow('stopping')
    expect(clock.sleeps).toHaveLength(3)
  })

  it('waits for nothing else', async () => {
    const clock = sleepingClock(() => undefined)
    const failing = waitOutFullDisk(
      '/out',
      clock,
      recordedLog(),
    )(
      () => Promise.reject(new Error('another error')),
      () => new AbortController().signal,
    )
    await expect(failing).rejects.toThrow('another error')
    expect(clock.sleeps).toEqual([])
  })
})
