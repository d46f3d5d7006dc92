/** `s3-transfer` killed again and again, and started again at once, until it gets through. */
import {join} from 'node:path'
import {expect} from 'vitest'
import type {Fate} from '../crash/fate.js'
import {writeLargeFile, writeSmallFiles, writeTree} from '../trees.js'
import type {TransferScene} from './transfer-scene.js'

const PART_BYTES = 5 << 20
const BAD_RECORDS = 30

/**
 * Before and after each call on a file's way. What is done is not done again, so none of these makes a later one
 * impossible: parts before the end of their uploads, commits last. Puts are tried, and refused, until there is a commit.
 */
export const BUCKET_FATES: readonly Fate[] = [
  {step: 'before-produce', nth: 1},
  {step: 'after-produce', nth: 1},
  {step: 'before-begin', nth: 1},
  {step: 'after-begin', nth: 1},
  {step: 'before-part', nth: 1},
  {step: 'after-part', nth: 2},
  {step: 'before-complete', nth: 1},
  {step: 'after-complete', nth: 1},
  {step: 'before-put', nth: 3},
  {step: 'after-put', nth: 7},
  {step: 'before-commit', nth: 1},
  {step: 'after-commit', nth: 1},
]

/** Small, empty, of exactly one part, a byte more, of several parts; and names that somebody will have. */
async function writeFiles({input}: TransferScene): Promise<void> {
  await writeSmallFiles(join(input, 'small'), 30)
  await writeTree(input, {'empty.dat': '', 'deep/er/ä "quoted" name': 'text'})
  await writeLargeFile(join(input, 'one-part.raw'), PART_BYTES)
  await writeLargeFile(join(input, 'a-byte-more.raw'), PART_BYTES + 1)
  await writeLargeFile(join(input, 'large.raw'), 3 * PART_BYTES + 7)
}

export interface Kills {
  readonly fates: readonly Fate[]
  /** After the start. What is over by then is over. */
  readonly momentsMs?: readonly number[]
  /** Each death has further files to befall. */
  readonly withFurtherFiles?: boolean
}

/**
 * After each death whatever has a key is whole. In the end all is there, equal, and nothing besides.
 * Every fate has to be reached: a run that ends otherwise fails.
 */
export async function expectKillsToLoseNothing(
  scene: TransferScene,
  {fates, momentsMs = [], withFurtherFiles = false}: Kills,
): Promise<void> {
  const {store} = scene
  const args = ['--dead-letter-topic', await scene.makeTopic('-dead')]
  await scene.spoil(BAD_RECORDS)
  await writeFiles(scene)
  await scene.upload()
  const deaths = [
    ...fates.map((fate) => ({name: `${fate.step} #${fate.nth}`, die: () => scene.dieAt(fate, ...args)})),
    ...momentsMs.map((ms) => ({name: `${ms} ms`, die: () => scene.dieAfter(ms, ...args)})),
  ]
  for (const [round, {name, die}] of deaths.entries()) {
    if (withFurtherFiles) await uploadFurtherFiles(scene, round)
    await die()
    const expected = await scene.expected()
    for (const [key, content] of await scene.found())
      expect(content, `${key} after the death at ${name}`).toBe(expected.get(key))
  }
  const {exitCode, report, stderr} = await scene.transfer(...args)
  expect(exitCode, stderr).toBe(0)
  expect(report?.files).toMatchObject({failed: 0, held: 0, open: 0, incomplete: 0})
  expect(await scene.found()).toEqual(await scene.expected())
  expect(await store.pendingUploads()).toEqual([])
  expect(await scene.journaled()).toEqual([])
}

async function uploadFurtherFiles(scene: TransferScene, round: number): Promise<void> {
  const directory = `round-${round}`
  await writeSmallFiles(join(scene.input, directory), 8)
  await writeLargeFile(join(scene.input, directory, 'large.raw'), 2 * PART_BYTES + round)
  await scene.upload('--include', `${directory}/**`)
}
