/** `s3-transfer` killed again and again, and started again at once, until it gets through. */
import {join} from 'node:path'
import {expect} from 'vitest'
import type {Fate} from '../crash/fate.js'
import {writeLargeFile, writeSmallFiles, writeTree} from '../trees.js'
import type {TransferScene} from './transfer-scene.js'

const PART_BYTES = 5 << 20
const BAD_RECORDS = 30

/** Before and after each call on the way of a small file. A put that finds the object there is no put that went well. */
const SMALL_FATES: readonly Fate[] = [
  {step: 'before-produce', nth: 1},
  {step: 'after-produce', nth: 1},
  {step: 'before-put', nth: 3},
  {step: 'after-put', nth: 7},
]

/** And of a large one. What is done is not done again: parts come before the end of their uploads, commits last. */
const LARGE_FATES: readonly Fate[] = [
  {step: 'before-begin', nth: 1},
  {step: 'after-begin', nth: 1},
  {step: 'before-part', nth: 1},
  {step: 'after-part', nth: 2},
  {step: 'before-complete', nth: 1},
  {step: 'after-complete', nth: 1},
  {step: 'before-commit', nth: 1},
  {step: 'after-commit', nth: 1},
]

/** Each of these deaths has further files to befall. */
export interface FurtherKills {
  readonly fates: readonly Fate[]
  /** After the start. What is over by then is over. */
  readonly momentsMs: readonly number[]
}

/**
 * After each death whatever has a key is whole. In the end all is there, equal, and nothing besides.
 * Every fate has to be reached: a run that ends otherwise fails.
 */
export async function expectKillsToLoseNothing(
  scene: TransferScene,
  {fates, momentsMs}: FurtherKills = {fates: [], momentsMs: []},
): Promise<void> {
  const {store, input} = scene
  const args = ['--dead-letter-topic', await scene.makeTopic('-dead')]
  const die = async (fate: Fate | number): Promise<void> => {
    if (typeof fate === 'number') await scene.dieAfter(fate, ...args)
    else await scene.dieAt(fate, ...args)
    await expectOnlyWholeObjects(scene, typeof fate === 'number' ? `${fate} ms` : fate.step)
  }

  await scene.spoil(BAD_RECORDS)
  await writeSmallFiles(join(input, 'small'), 30)
  await writeTree(input, {'empty.dat': '', 'deep/er/ä "quoted" name': 'text'})
  await scene.upload()
  for (const fate of SMALL_FATES) await die(fate)

  await writeLargeFile(join(input, 'one-part.raw'), PART_BYTES)
  await writeLargeFile(join(input, 'a-byte-more.raw'), PART_BYTES + 1)
  await writeLargeFile(join(input, 'large.raw'), 3 * PART_BYTES + 7)
  await scene.upload('--include', '*.raw')
  for (const fate of LARGE_FATES) await die(fate)

  for (const [round, fate] of [...fates, ...momentsMs].entries()) {
    await uploadFurtherFiles(scene, round)
    await die(fate)
  }

  const {exitCode, report, stderr} = await scene.transfer(...args)
  expect(exitCode, stderr).toBe(0)
  expect(report?.files).toMatchObject({failed: 0, held: 0, open: 0, incomplete: 0})
  expect(await scene.found()).toEqual(await scene.expected())
  expect(await store.pendingUploads()).toEqual([])
  expect(await scene.journaled()).toEqual([])
}

async function expectOnlyWholeObjects(scene: TransferScene, when: string): Promise<void> {
  const expected = await scene.expected()
  // A start that dies while it tries out the store leaves that object to the next start, which removes it.
  const files = [...(await scene.found())].filter(([key]) => !key.startsWith('.streamtool-probe-'))
  for (const [key, content] of files)
    expect(content, `${key} after the death at ${when}`).toBe(expected.get(key))
}

async function uploadFurtherFiles(scene: TransferScene, round: number): Promise<void> {
  const directory = `round-${round}`
  await writeSmallFiles(join(scene.input, directory), 8)
  await writeLargeFile(join(scene.input, directory, 'large.raw'), 2 * PART_BYTES + round)
  await scene.upload('--include', `${directory}/**`)
}
