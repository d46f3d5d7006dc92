/** `s3-transfer` as users run it, on the sandbox's broker and bucket. */
import {join} from 'node:path'
import {readFile} from 'node:fs/promises'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {startStore} from '../support/s3/bucket-under-test.js'
import {expectFlippedBitsToBeRefused} from '../support/s3/flipped-bits.js'
import {expectKillsToLoseNothing} from '../support/s3/killed-transfers.js'
import {type TransferScene, transferScene} from '../support/s3/transfer-scene.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {writeLargeFile, writeSmallFiles} from '../support/trees.js'

const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

async function newScene(topic: string): Promise<TransferScene> {
  return transferScene({topic, store: await startStore(), bootstrap: broker.bootstrap, newDirectory})
}

describe.concurrent('s3-transfer', {timeout: 240_000}, () => {
  it('is killed at every step, and each object is whole, there in the end, and no upload is left', async () => {
    const scene = await newScene('killed')
    await expectKillsToLoseNothing(scene)
    await scene.store.close()
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

  it('stops in time when the store swallows every request, and leaves the upload to the next start', async () => {
    const scene = await newScene('swallowed')
    const {store, input} = scene
    await writeLargeFile(join(input, 'large.raw'), 16 << 20)
    await scene.upload()
    const isSilent = new Promise<void>((resolve) =>
      store.faults.set('swallowed/large.raw', ({operation}) => {
        if (operation !== 'UploadPart' && operation !== 'AbortMultipartUpload') return undefined
        resolve()
        return {kind: 'silence'}
      }),
    )
    const {exitCode, stderr} = await scene.stopped(isSilent, '--shutdown-timeout', '4s')
    expect(exitCode, stderr).toBe(130)
    expect(stderr).not.toContain('Not stopped within')
    expect(stderr).toContain('left to the next start')
    expect(await store.pendingUploads()).toEqual(['swallowed/large.raw'])
    expect(await scene.journaled()).toHaveLength(1)
    store.faults.clear()
    expect((await scene.transfer()).report?.files).toMatchObject({delivered: 1})
    expect(await store.pendingUploads()).toEqual([])
    expect(await scene.journaled()).toEqual([])
    await store.close()
  })

  it('exits with 5 when what arrives is never what was sent, and delivers it when that is over', async () => {
    const scene = await newScene('corrupted')
    await expectFlippedBitsToBeRefused(scene)
    await scene.store.close()
  })

  it('ends with 3 when the store refuses us, holds the offsets, and delivers all the next time', async () => {
    const scene = await newScene('refused')
    await writeSmallFiles(scene.input, 20)
    await scene.upload()
    const [someKey = ''] = [...(await scene.expected()).keys()].slice(10)
    scene.store.faults.set(someKey, ({phase}) =>
      phase === 'before' ? {kind: 'error', status: 403, code: 'AccessDenied'} : undefined,
    )
    const {exitCode, stdout} = await scene.transfer()
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({error: {code: 'STORE_FORBIDDEN'}})
    scene.store.faults.clear()
    expect((await scene.transfer()).exitCode).toBe(0)
    expect(await scene.found()).toEqual(await scene.expected())
    await scene.store.close()
  })
})
