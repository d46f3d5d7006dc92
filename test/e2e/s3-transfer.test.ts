/** `s3-transfer` as users run it, on the sandbox's broker and bucket. */
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Fate} from '../support/crash/fate.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {streamtoolJson} from '../support/cli.js'
import {readFile, readdir} from 'node:fs/promises'
import {type BucketRun, bucketRun} from '../support/s3/bucket-run.js'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {writeLargeFile, writeSmallFiles, writeTree} from '../support/trees.js'

const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

interface Scene extends BucketRun {
  readonly store: StoreUnderTest
  readonly input: string
  upload(): Promise<void>
  /** By key. */
  expected(): Promise<Map<string, Buffer>>
}

async function newScene(topic: string): Promise<Scene> {
  const [store, input, stateDir] = [await startStore(), await newDirectory(), await newDirectory()]
  return {
    store,
    input,
    ...bucketRun({store, topic, bootstrap: broker.bootstrap, stateDir}),
    async upload() {
      await streamtoolJson(['upload', input, '--topic', topic, '--brokers', broker.bootstrap])
    },
    async expected() {
      const entries = (await readdir(input, {recursive: true, withFileTypes: true})).filter((e) => e.isFile())
      const files = entries.map(async ({parentPath, name}) => {
        const local = join(parentPath, name)
        return [`${topic}/${local.slice(input.length + 1)}`, await readFile(local)] as const
      })
      return new Map(await Promise.all(files))
    },
  }
}

async function writeFiles({input}: Scene): Promise<void> {
  await writeSmallFiles(join(input, 'small'), 30)
  await writeTree(input, {'empty.dat': '', 'deep/er/ä "quoted" name': 'text'})
  await writeLargeFile(join(input, 'large.raw'), (16 << 20) + 7)
}

const FATES: readonly Fate[] = [
  {step: 'before-put', nth: 3},
  {step: 'after-put', nth: 7},
  {step: 'before-part', nth: 1},
  {step: 'after-part', nth: 2},
  {step: 'before-complete', nth: 1},
  {step: 'after-complete', nth: 1},
]

describe.concurrent('s3-transfer', {timeout: 240_000}, () => {
  it('is killed at every step, and each object is whole, there in the end, and no upload is left', async () => {
    const scene = await newScene('killed')
    const {store} = scene
    await writeFiles(scene)
    await scene.upload()
    const expected = await scene.expected()
    for (const fate of FATES) {
      await scene.dieAt(fate)
      for (const [key, content] of await store.objects())
        expect(expected.get(key)?.equals(content), `${key} after ${fate.step}`).toBe(true)
    }
    const {exitCode, report} = await scene.transfer()
    expect(exitCode).toBe(0)
    expect(report?.files).toMatchObject({failed: 0, held: 0, open: 0, incomplete: 0})
    const found = await store.objects()
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort())
    for (const [key, content] of expected) expect(found.get(key)?.equals(content), key).toBe(true)
    expect(await store.pendingUploads()).toEqual([])
    await store.close()
  })

  it('goes on with the parts that a killed process had sent', async () => {
    const scene = await newScene('resumed')
    const {store, input} = scene
    await writeLargeFile(join(input, 'large.raw'), 16 << 20)
    await scene.upload()
    await scene.dieAt({step: 'before-complete', nth: 1})
    let parts = 0
    store.faults.set('resumed/large.raw', ({operation, phase}) => {
      if (operation === 'UploadPart' && phase === 'before') parts += 1
      return undefined
    })
    expect((await scene.transfer()).report?.files).toMatchObject({delivered: 1})
    expect(parts).toBe(0)
    expect((await store.object('resumed/large.raw'))?.equals(await readFile(join(input, 'large.raw')))).toBe(
      true,
    )
    expect(await store.pendingUploads()).toEqual([])
    await store.close()
  })

  it('exits with 5 when what arrives is never what was sent, and delivers it when that is over', async () => {
    const scene = await newScene('corrupted')
    await writeTree(scene.input, {'good.dat': 'good', 'bad.dat': 'bad'})
    await scene.upload()
    scene.store.faults.set('corrupted/bad.dat', ({phase, operation}) =>
      phase === 'before' && operation === 'PutObject' ? {kind: 'corrupted'} : undefined,
    )
    const {exitCode, report} = await scene.transfer()
    expect(exitCode).toBe(5)
    expect(report?.problems).toMatchObject([{path: 'bad.dat', outcome: 'held', code: 'OBJECT_CORRUPTED'}])
    expect([...(await scene.store.objects()).keys()]).toEqual(['corrupted/good.dat'])
    scene.store.faults.clear()
    expect((await scene.transfer()).exitCode).toBe(0)
    expect((await scene.store.object('corrupted/bad.dat'))?.toString()).toBe('bad')
    await scene.store.close()
  })

  it('ends with 3 when the store refuses us, holds the offsets, and delivers all the next time', async () => {
    const scene = await newScene('refused')
    await writeSmallFiles(scene.input, 20)
    await scene.upload()
    const expected = await scene.expected()
    const [someKey = ''] = [...expected.keys()].slice(10)
    scene.store.faults.set(someKey, ({phase}) =>
      phase === 'before' ? {kind: 'error', status: 403, code: 'AccessDenied'} : undefined,
    )
    const {exitCode, stdout} = await scene.transfer()
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({error: {code: 'STORE_FORBIDDEN'}})
    scene.store.faults.clear()
    expect((await scene.transfer()).exitCode).toBe(0)
    expect(await scene.store.objects()).toEqual(expected)
    await scene.store.close()
  })
})
