/** `s3-transfer` between Apache Kafka and versitygw: killed at every step, and with bits that flip on the way. */
import {afterAll, beforeAll, it} from 'vitest'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {startStore, type StoreUnderTest} from '../support/s3/bucket-under-test.js'
import {expectFlippedBitsToBeRefused} from '../support/s3/flipped-bits.js'
import {BUCKET_FATES, expectKillsToLoseNothing} from '../support/s3/killed-transfers.js'
import {type TransferScene, transferScene} from '../support/s3/transfer-scene.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {startVersitygw, type Versitygw} from '../support/versitygw.js'

const newDirectory = temporaryDirectories()
let broker: RealKafka
beforeAll(async () => {
  broker = await startRealKafka()
})
afterAll(() => broker.close())

async function onVersitygw(topic: string, play: (scene: TransferScene) => Promise<void>): Promise<void> {
  let gateway: Versitygw | null = null
  let store: StoreUnderTest | null = null
  try {
    gateway = await startVersitygw()
    store = await startStore(gateway)
    await play(await transferScene({topic, store, bootstrap: broker.bootstrap, newDirectory}))
  } finally {
    await store?.close()
    await gateway?.close()
  }
}

it('is killed before and after each call, and at moments besides: every object is whole, there in the end, and nothing is left', async () => {
  await onVersitygw('killed', (scene) =>
    expectKillsToLoseNothing(scene, {
      fates: [
        ...BUCKET_FATES,
        {step: 'before-complete', nth: 1},
        {step: 'after-part', nth: 3},
        {step: 'after-put', nth: 10},
        {step: 'after-complete', nth: 1},
        {step: 'after-commit', nth: 1},
      ],
      momentsMs: [700, 900, 1100, 1300, 1500, 1700],
      withFurtherFiles: true,
    }),
  )
})

it('has every flipped bit refused by the store, and exits with 5', async () => {
  await onVersitygw('flipped', expectFlippedBitsToBeRefused)
})
