/** A bit is flipped in every body on its way to the store: the store refuses it, and whoever runs the program is told. */
import {join} from 'node:path'
import {expect} from 'vitest'
import {writeLargeFile, writeTree} from '../trees.js'
import type {TransferScene} from './transfer-scene.js'

const PART_BYTES = 5 << 20

export async function expectFlippedBitsToBeRefused(scene: TransferScene): Promise<void> {
  const {topic, store, input} = scene
  await writeTree(input, {'good.dat': 'good', 'bad.dat': 'bad'})
  await writeLargeFile(join(input, 'bad.raw'), 2 * PART_BYTES + 3)
  await scene.upload()
  const flipped = {PutObject: 0, UploadPart: 0}
  for (const key of [`${topic}/bad.dat`, `${topic}/bad.raw`])
    store.faults.set(key, ({phase, operation}) => {
      if (phase !== 'before' || (operation !== 'PutObject' && operation !== 'UploadPart')) return undefined
      flipped[operation] += 1
      return {kind: 'corrupted'}
    })

  const {exitCode, report, stderr} = await scene.transfer()
  expect(exitCode, stderr).toBe(5)
  const problems = report?.problems.map(({path, outcome, code}) => ({path, outcome, code}))
  expect(problems).toHaveLength(2)
  for (const path of ['bad.dat', 'bad.raw'])
    expect(problems).toContainEqual({path, outcome: 'held', code: 'OBJECT_CORRUPTED'})
  expect(flipped.PutObject).toBeGreaterThan(1)
  expect(flipped.UploadPart).toBeGreaterThan(1)
  expect([...(await store.objects()).keys()]).toEqual([`${topic}/good.dat`])
  expect(await store.pendingUploads()).toEqual([])

  store.faults.clear()
  expect((await scene.transfer()).exitCode).toBe(0)
  expect(await scene.found()).toEqual(await scene.expected())
}
