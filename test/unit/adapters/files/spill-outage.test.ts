/** On a small file system in memory, which only root can mount. */
import {execFileSync} from 'node:child_process'
import {rm, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {waitOutSpillOutages} from '../../../../src/adapters/files/spill-outage.js'
import {createSpillStore} from '../../../../src/adapters/files/spill-store.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Clock} from '../../../../src/core/ports/index.js'
import {eventually} from '../../../support/eventually.js'
import {recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const hastyClock: Clock = {nowMs: () => Date.now(), sleep: (_, signal) => systemClock.sleep(5, signal)}

async function spillIn(directory: string) {
  const [logger, told] = [recordedLog(), new Array<string | null>()]
  const onOutage = (reason: string | null) => void told.push(reason)
  const whenStorageAllows = waitOutSpillOutages({directory, clock: hastyClock, logger, onOutage})
  const spill = await createSpillStore(directory, {whenStorageAllows})
  onTestFinished(() => spill.close())
  return {spill, told, logger}
}

describe('what is spilled', () => {
  it.runIf(canMount)('waits while the disk is full, and is whole in the end', async () => {
    const directory = await temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory])
    onTestFinished(() => void execFileSync('umount', ['-l', directory]))
    const ballast = path.join(directory, 'ballast')
    await writeFile(ballast, Buffer.alloc(400 * 1024))
    const {spill, told} = await spillIn(directory)
    const file = await spill.create()
    const data = Buffer.alloc(200 * 1024, 'spilled')
    const appended = file.append(data)
    await eventually('it is noticed', () => told.length > 0)
    await rm(ballast)
    const position = await appended
    const found = Buffer.alloc(data.length)
    await file.read(position, found)
    expect(found.equals(data)).toBe(true)
    expect(told).toEqual([expect.stringContaining('no space is left'), null])
    await file.close()
  })

  it('goes on in a directory that somebody removed: what was in it is lost, and said to be', async () => {
    const directory = path.join(await temporaryDirectory(), 'spill')
    const {spill, told} = await spillIn(directory)
    await rm(directory, {recursive: true})
    const file = await spill.create()
    await expect(file.append(Buffer.from('x'))).rejects.toMatchObject({code: 'STORAGE_FAILED'})
    const next = await spill.create()
    expect(await next.append(Buffer.from('y'))).toBe(0)
    expect(told).toEqual([])
    await next.close()
  })
})
