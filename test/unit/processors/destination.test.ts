import {setMaxListeners} from 'node:events'
import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it, onTestFinished} from 'vitest'
import {systemClock} from '../../../src/adapters/system/clock.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import type {Clock, IncomingFile} from '../../../src/core/ports/index.js'
import {eventually} from '../../support/eventually.js'
import {
  type FakeHost,
  fakeHost,
  type Processing,
  processing,
  type ProcessingOptions,
  type Work,
} from '../../support/fake-host.js'
import {incomingFile, type IncomingFileFacts} from '../../support/incoming-file.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

/** Pauses are short, but not nothing. */
const hastyClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, stop) => systemClock.sleep(Math.min(ms, 40), stop),
}
const {signal: never} = new AbortController()
// As many as files are open, which have a signal each otherwise.
setMaxListeners(0, never)
const bad = (path: string) => new StreamtoolError('PROCESSING_FAILED', `failed on ${path}`)

async function run(host: FakeHost, options: ProcessingOptions = {}): Promise<Processing> {
  const root = options.root ?? (await temporaryDirectory())
  const run = await processing(host, {clock: hastyClock, ...options, root})
  onTestFinished(() => run.close())
  return run
}

const textFile = (path: string, facts?: IncomingFileFacts): IncomingFile =>
  incomingFile(path, Buffer.from(path), facts)

async function deliver({destination}: Processing, file: IncomingFile, signal = never): Promise<string> {
  const writer = await destination.open(file, signal)
  await writer.write(Buffer.from(file.path))
  try {
    return await writer.finish(file.path.length)
  } catch (thrown) {
    await writer.discard()
    throw thrown
  }
}

describe('a file that is handed to a processor', () => {
  it('is not handed over again by the next run, committed or not', async () => {
    const host = fakeHost()
    const first = await run(host)
    expect(await deliver(first, textFile('a.txt'))).toBe('delivered')
    expect(first.steps.filter((step) => step.endsWith('plugin'))).toEqual(['before-plugin', 'after-plugin'])
    const second = await run(host, {root: first.root})
    expect(await second.destination.recall(textFile('a.txt'))).toBe('same')
    expect(await deliver(second, textFile('a.txt'))).toBe('unchanged')
    expect(host.calls).toEqual(['process a.txt 1'])
  })

  it('is tried as often as it may be, then told as failed; the next run goes on counting', async () => {
    const host = fakeHost(({path}) => {
      throw bad(path)
    })
    const first = await run(host, {attempts: 2})
    await expect(deliver(first, textFile('a.txt'))).rejects.toMatchObject({code: 'PROCESSING_FAILED'})
    expect(host.calls).toEqual(['process a.txt 1', 'process a.txt 2', 'failed a.txt 2 PROCESSING_FAILED'])
    const second = await run(host, {root: first.root, attempts: 1})
    await expect(deliver(second, textFile('a.txt'))).rejects.toThrow('failed on a.txt')
    expect(host.calls.slice(3)).toEqual(['process a.txt 3', 'failed a.txt 3 PROCESSING_FAILED'])
  })

  it('begins at 1 again when it comes as another upload, with another idempotency key', async () => {
    const keys: string[] = []
    const host = fakeHost(({path, attempt, idempotencyKey}) => {
      keys.push(idempotencyKey)
      if (attempt === 1) throw bad(path)
    })
    const under = await run(host, {attempts: 2})
    await deliver(under, textFile('a.txt', {uploadId: 'u1'}))
    await deliver(under, textFile('a.txt', {uploadId: 'u2', offset: 9}))
    expect(host.calls).toEqual(['process a.txt 1', 'process a.txt 2', 'process a.txt 1', 'process a.txt 2'])
    expect(keys[0]).toBe(keys[1])
    expect(new Set(keys).size).toBe(2)
  })

  it('is not tried again when no other file would fare better, or when it is too large', async () => {
    for (const code of ['PLUGIN_SETUP_FAILED', 'FILE_TOO_LARGE_FOR_MEMORY'] as const) {
      const host = fakeHost(() => {
        throw new StreamtoolError(code, 'no')
      })
      const under = await run(host, {attempts: 5})
      await expect(deliver(under, textFile('a.txt'))).rejects.toMatchObject({code})
      expect(host.calls.filter((call) => call.startsWith('process'))).toHaveLength(1)
    }
  })

  it('is told as mismatched', async () => {
    const host = fakeHost()
    const {destination} = await run(host)
    await destination.mismatched?.(textFile('a.txt'))
    expect(host.calls).toEqual(['mismatched a.txt'])
  })
})

describe('a process that dies while a file is processed', () => {
  /** What is written down of it is all that is left. */
  async function dieOn(root: string, host: FakeHost): Promise<void> {
    const dying = await processing(host, {root, clock: hastyClock})
    const writer = await dying.destination.open(textFile('killer.txt'), never)
    await writer.write(Buffer.from('killer.txt'))
    const calls = host.calls.length
    writer.finish('killer.txt'.length).catch(() => undefined)
    await eventually('it is processed', () => host.calls.length > calls)
  }

  it('is known by the number of the attempt', async () => {
    const [root, hanging, well] = [
      await temporaryDirectory(),
      fakeHost(() => new Promise(() => undefined)),
      fakeHost(),
    ]
    await dieOn(root, hanging)
    expect(await deliver(await run(well, {root}), textFile('killer.txt'))).toBe('delivered')
    expect(well.calls).toEqual(['process killer.txt 2'])
  })

  it('three times leaves the file out once, so that others get their turn, and tries it again afterwards', async () => {
    const [root, hanging, well] = [
      await temporaryDirectory(),
      fakeHost(() => new Promise(() => undefined)),
      fakeHost(),
    ]
    for (let death = 0; death < 3; death += 1) await dieOn(root, hanging)
    const fourth = await run(well, {root})
    await expect(deliver(fourth, textFile('killer.txt'))).rejects.toMatchObject({code: 'PROCESSOR_CRASHED'})
    expect(await deliver(fourth, textFile('other.txt'))).toBe('delivered')
    expect(well.calls).toEqual(['failed killer.txt 3 PROCESSOR_CRASHED', 'process other.txt 1'])
    await dieOn(root, hanging)
    const sixth = await run(well, {root})
    await expect(deliver(sixth, textFile('killer.txt'))).rejects.toMatchObject({code: 'PROCESSOR_CRASHED'})
    expect(await deliver(await run(well, {root}), textFile('killer.txt'))).toBe('delivered')
  })
})

describe('an attempt', () => {
  it('that takes too long is told to stop, fails, and is followed by the next', async () => {
    const reasons: unknown[] = []
    const host = fakeHost(({attempt}, _, signal) => {
      if (attempt > 1) return undefined
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason)
          reject(new Error('stopped'))
        }),
      )
    })
    const under = await run(host, {attempts: 2, timeoutMs: 20})
    expect(await deliver(under, textFile('slow.txt'))).toBe('delivered')
    expect(reasons).toMatchObject([{code: 'PROCESSING_TIMED_OUT'}])
    expect(host.calls).toEqual(['process slow.txt 1', 'process slow.txt 2'])
  })

  it('that heeds nothing is abandoned', async () => {
    const under = await run(
      fakeHost(() => new Promise(() => undefined)),
      {timeoutMs: 20},
    )
    await expect(deliver(under, textFile('deaf.txt'))).rejects.toMatchObject({code: 'PROCESSING_TIMED_OUT'})
  })

  it('is told to stop when the file is given up', async () => {
    const lost = new AbortController()
    const host = fakeHost(
      (_, __, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
    )
    const under = await run(host, {attempts: 3})
    const delivering = deliver(under, textFile('a.txt'), lost.signal)
    await eventually('it is processed', () => host.calls.length > 0)
    lost.abort(new Error('the epoch is over'))
    await expect(delivering).rejects.toThrow('the epoch is over')
    expect(host.calls).toEqual(['process a.txt 1'])
  })

  it('is one of so many at once, and one that waits for its turn takes no place', async () => {
    let [underWay, most] = [0, 0]
    const slowly: Work = async ({path, attempt}) => {
      underWay += 1
      most = Math.max(most, underWay)
      await delay(5)
      underWay -= 1
      if (path.startsWith('bad') && attempt < 3) throw bad(path)
    }
    const under = await run(fakeHost(slowly), {attempts: 3, concurrency: 2})
    const names = Array.from({length: 20}, (_, index) => (index < 6 ? `bad-${index}` : `good-${index}`))
    const outcomes = await Promise.all(names.map((name) => deliver(under, textFile(name))))
    expect(new Set(outcomes)).toEqual(new Set(['delivered']))
    expect(most).toBe(2)
  })

  it('gets what the first one got, whatever that did with it', async () => {
    const seen: string[] = []
    const host = fakeHost(async ({path, attempt}, content) => {
      for await (const piece of content.read()) seen.push(piece.toString())
      content.content?.fill('x')
      if (attempt === 1) throw bad(path)
    })
    const under = await run(host, {attempts: 2, mode: 'both'})
    await deliver(under, textFile('a.txt'))
    expect(seen).toEqual(['a.txt', 'a.txt'])
  })
})

describe('generations of a path', () => {
  const older = textFile('a.txt', {offset: 1, uploadId: 'u1'})
  const newer = textFile('a.txt', {offset: 2, uploadId: 'u2'})

  it('are not processed after a newer one', async () => {
    const host = fakeHost()
    const under = await run(host)
    expect(await deliver(under, newer)).toBe('delivered')
    expect(await deliver(under, older)).toBe('superseded')
    expect(host.calls).toHaveLength(1)
  })

  it('are each processed once, in whatever order, when all are wanted', async () => {
    const host = fakeHost()
    const first = await run(host, {generations: 'all'})
    expect(await deliver(first, newer)).toBe('delivered')
    expect(await deliver(first, older)).toBe('delivered')
    const second = await run(host, {root: first.root, generations: 'all'})
    expect([await deliver(second, older), await deliver(second, newer)]).toEqual(['unchanged', 'unchanged'])
    expect(host.calls).toHaveLength(2)
  })
})
