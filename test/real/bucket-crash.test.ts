/** `s3-transfer` between Apache Kafka and versitygw: killed at every step, by itself and in a group; bits flip on the way. */
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {expectFlippedBitsToBeRefused} from '../support/s3/flipped-bits.js'
import {expectKillsToLoseNothing} from '../support/s3/killed-transfers.js'
import {type TransferScene, transferScene} from '../support/s3/transfer-scene.js'
import {startVersitygwStore} from '../support/s3/versitygw-store.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {writeLargeFile, writeSmallFiles} from '../support/trees.js'

const newDirectory = temporaryDirectories()
let broker: RealKafka
beforeAll(async () => {
  broker = await startRealKafka()
})
afterAll(() => broker.close())

async function onVersitygw(topic: string, play: (scene: TransferScene) => Promise<void>): Promise<void> {
  const store = await startVersitygwStore()
  try {
    await play(await transferScene({topic, store, bootstrap: broker.bootstrap, newDirectory}))
  } finally {
    await store.close()
  }
}

it('killed before and after each call, and at moments besides: every object is whole, there in the end, and nothing is left', async () => {
  await onVersitygw('killed', (scene) =>
    expectKillsToLoseNothing(scene, {
      fates: [
        {step: 'before-complete', nth: 1},
        {step: 'after-part', nth: 3},
        {step: 'after-put', nth: 5},
        {step: 'after-complete', nth: 1},
        {step: 'after-commit', nth: 1},
      ],
      momentsMs: [700, 1000, 1300, 1600],
    }),
  )
})

it('two of a group killed at once, again and again: nothing is lost, and nothing is left', async () => {
  await onVersitygw('two-killed', async (scene) => {
    await writeSmallFiles(join(scene.input, 'small'), 60)
    for (let index = 0; index < 8; index += 1)
      await writeLargeFile(join(scene.input, `large/${index}.raw`), (11 << 20) + index)
    await scene.upload()
    for (const ms of [1000, 1400, 1800, 2400])
      await Promise.all([scene.dieAfter(ms), scene.dieAfter(ms + 150)])
    const ends = await Promise.all([scene.transfer(), scene.transfer()])
    expect(ends.map(({exitCode}) => exitCode)).toEqual([0, 0])
    expect(await scene.found()).toEqual(await scene.expected())
    expect(await scene.store.pendingUploads()).toEqual([])
    expect(await scene.journaled()).toEqual([])
  })
})

it('every flipped bit is refused by the store: exit code 5', async () => {
  await onVersitygw('flipped', expectFlippedBitsToBeRefused)
})
