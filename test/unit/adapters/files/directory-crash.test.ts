/** What other processes did to an output directory, and how they ended. */
import {readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it, onTestFinished, vi} from 'vitest'
import {createDirectoryDestination} from '../../../../src/adapters/files/directory-destination.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Destination} from '../../../../src/core/ports/index.js'
import {runTestChild, type TestChild} from '../../../support/child-process.js'
import {eventually} from '../../../support/eventually.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {noSteps, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'
import {contentOf} from './children/deliver.js'

const {signal} = new AbortController()
const TIMEOUT_MS = 60_000

async function open(root: string): Promise<Destination> {
  const destination = await createDirectoryDestination({
    root,
    concurrency: 8,
    clock: systemClock,
    logger: recordedLog(),
    steps: noSteps,
  })
  onTestFinished(() => destination.close())
  return destination
}

const runDeliverer = (...args: string[]): TestChild =>
  runTestChild('test/unit/adapters/files/children/deliver.ts', args)

async function filesBelow(directory: string, suffix: string): Promise<string[]> {
  return (await readdir(directory, {recursive: true})).filter((file) => file.endsWith(suffix))
}

/** The generation of each visible file; fails when one is not, byte for byte, one that was to be delivered. */
async function generations(root: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const directory of (await readdir(root)).filter((name) => name !== '.streamtool')) {
    for (const name of await readdir(path.join(root, directory))) {
      const file = `${directory}/${name}`
      const content = await readFile(path.join(root, file))
      const generation = Number(/^\S+ (\d+)\n/.exec(content.subarray(0, 100).toString())?.[1])
      expect(content.equals(contentOf(file, generation)), `${file} is a whole file`).toBe(true)
      found.set(file, generation)
    }
  }
  return found
}

function newestPrinted(lines: readonly string[]): Map<string, number> {
  const newest = new Map<string, number>()
  for (const line of lines) {
    const [file, generation] = line.split(' ')
    newest.set(file!, Math.max(newest.get(file!) ?? 0, Number(generation)))
  }
  return newest
}

describe('after kill -9', () => {
  it.each([50, 400, 900])(
    'all visible files are whole, what was reported is there, and no older one gets over it (%d ms)',
    async (moreMs) => {
      const root = await temporaryDirectory()
      const child = runDeliverer(root)
      await child.printed(100)
      await delay(moreMs)
      await child.kill()
      const reported = newestPrinted(child.lines)
      const visible = await generations(root)
      for (const [file, generation] of reported) expect(visible.get(file)).toBeGreaterThanOrEqual(generation)

      const destination = await open(root)
      expect(await filesBelow(path.join(root, '.streamtool/partial'), '.part')).toEqual([])
      for (const [file, generation] of reported) {
        const old = Buffer.from('older than all')
        const writer = await destination.open(
          incomingFile(file, old, {offset: 0, timestampMs: 0, uploadId: 'old'}),
          signal,
        )
        await writer.write(old)
        expect(await writer.finish(old.length), `${file} ${generation}`).toBe('superseded')
      }
      expect(await generations(root)).toEqual(visible)
    },
    TIMEOUT_MS,
  )
})

describe('beside another process', () => {
  it(
    'leaves its partial files alone while it lives, and removes them when it is dead',
    async () => {
      const root = await temporaryDirectory()
      const partial = path.join(root, '.streamtool/partial')
      const child = runDeliverer(root, 'hold')
      await child.printed(1)
      const held = await filesBelow(partial, '.part')
      expect(held).toHaveLength(1)
      const first = await open(root)
      expect(await filesBelow(partial, '.part')).toEqual(held)
      expect(await readdir(path.join(root, '.streamtool/index'))).toEqual(['0', '1'])

      await child.kill()
      await open(root)
      expect(await filesBelow(partial, '.part')).toEqual([])
      await first.close()
    },
    TIMEOUT_MS,
  )

  it('cleans up after a process of another host only when its lock has been silent for a minute', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    const state = path.join(root, '.streamtool/partial')
    const writer = await destination.open(incomingFile('f', Buffer.from('x'), {chunkCount: 2}), signal)
    await writer.write(Buffer.from('x'))
    const [lock] = (await readdir(state)).filter((name) => name.endsWith('.lock'))
    const foreign = {pid: 1, startTime: '1', pidSpace: 'boot:another'}
    await writeFile(path.join(state, lock!), `${JSON.stringify(foreign)}\n`)
    const other = await open(root)
    expect(await filesBelow(state, '.part')).toHaveLength(1)
    await other.close()

    const before = Date.now() / 1000 - 90
    await utimes(path.join(state, lock!), before, before)
    await open(root)
    expect(await filesBelow(state, '.part')).toEqual([])
  })

  it('never puts an older generation over a newer one that another process delivered', async () => {
    const root = await temporaryDirectory()
    const [zombie, owner] = [await open(root), await open(root)]
    const deliver = async (destination: Destination, content: string, offset: number): Promise<string> => {
      const data = Buffer.from(content)
      const writer = await destination.open(incomingFile('f', data, {offset}), signal)
      await writer.write(data)
      return writer.finish(data.length)
    }
    const late = await zombie.open(incomingFile('f', Buffer.from('old'), {offset: 1}), signal)
    await late.write(Buffer.from('old'))
    expect(await deliver(owner, 'new', 2)).toBe('delivered')
    expect(await late.finish(3)).toBe('superseded')
    expect(await readFile(path.join(root, 'f'), 'utf8')).toBe('new')
    expect(await deliver(zombie, 'newest', 3)).toBe('delivered')
    expect(await deliver(owner, 'new', 2)).toBe('superseded')
    await owner.close()
    const restarted = await open(root)
    expect(await deliver(restarted, 'new', 2)).toBe('superseded')
    expect(await readFile(path.join(root, 'f'), 'utf8')).toBe('newest')
  })

  it('begins anew when another host took it for dead, and gives up what it had open', async () => {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']})
    onTestFinished(() => void vi.useRealTimers())
    const root = await temporaryDirectory()
    const destination = await open(root)
    const writer = await destination.open(incomingFile('f', Buffer.from('a'), {chunkCount: 2}), signal)
    await writer.write(Buffer.from('a'))
    const foreign = {pid: 1, startTime: '1', pidSpace: 'boot:another'}
    const partial = path.join(root, '.streamtool/partial')
    await writeFile(path.join(partial, '0.2.lock'), `${JSON.stringify(foreign)}\n`)
    vi.advanceTimersByTime(10_000)
    await eventually('the loss is noticed', () =>
      writer.write(Buffer.alloc(0)).then(
        () => false,
        () => true,
      ),
    )
    await expect(writer.finish(1)).rejects.toMatchObject({code: 'STORAGE_FAILED', retriable: true})
    await writer.discard()
    const again = await destination.open(incomingFile('f', Buffer.from('a')), signal)
    await again.write(Buffer.from('a'))
    expect(await again.finish(1)).toBe('delivered')
    expect((await readdir(partial)).sort()).toEqual(['0', '0.2.lock', '1', '1.1.lock'])
  })

  it('fails, and does not write into the files of others, when its own were taken away', async () => {
    const root = await temporaryDirectory()
    const destination = await open(root)
    const writer = await destination.open(incomingFile('f', Buffer.from('ab'), {chunkCount: 2}), signal)
    await writer.write(Buffer.from('a'))
    await rm(path.join(root, '.streamtool/partial/0'), {recursive: true})
    await expect(writer.write(Buffer.from('b')).then(() => writer.finish(2))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      retriable: true,
    })
    await writer.discard()
    expect(await readdir(root)).toEqual(['.streamtool'])
  })
})
