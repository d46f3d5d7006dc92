/** What befalls a store while `s3-transfer` writes into it, with Apache Kafka and versitygw; and files with odd names. */
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, beforeEach, expect, it} from 'vitest'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {type TransferScene, transferScene} from '../support/s3/transfer-scene.js'
import {startVersitygwStore, type VersitygwStore} from '../support/s3/versitygw-store.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {seededBytes, writeLargeFile, writeSmallFiles, writeTree} from '../support/trees.js'

const SKEWED_CLOCK = fileURLToPath(new URL('../support/skewed-clock.mjs', import.meta.url))
const AWAY_MS = 15_000
const HOUR_MS = 3_600_000

const newDirectory = temporaryDirectories()
let broker: RealKafka
let store: VersitygwStore
beforeAll(async () => {
  broker = await startRealKafka()
})
afterAll(() => broker.close())
beforeEach(async () => {
  store = await startVersitygwStore()
  return () => store.close()
})

const newScene = (topic: string, env: NodeJS.ProcessEnv = {}): Promise<TransferScene> =>
  transferScene({topic, store, bootstrap: broker.bootstrap, newDirectory, env})

async function uploadSome(scene: TransferScene): Promise<void> {
  await writeSmallFiles(join(scene.input, 'small'), 40)
  for (let index = 0; index < 3; index += 1)
    await writeLargeFile(join(scene.input, `large/${index}.raw`), (16 << 20) + index)
  await scene.upload()
}

/** Something happens to the store when it is about to be given a part of a large file for the second time. */
function whenPartsAreSent({topic}: TransferScene, happens: () => Promise<void>): void {
  let parts = 0
  let done: Promise<void> | null = null
  for (let index = 0; index < 3; index += 1)
    store.faults.set(`${topic}/large/${index}.raw`, async ({operation, phase}) => {
      if (operation === 'UploadPart' && phase === 'before' && (parts += 1) >= 2) await (done ??= happens())
      return undefined
    })
}

async function expectAllThere(scene: TransferScene): Promise<void> {
  expect(await scene.found()).toEqual(await scene.expected())
  expect(await store.pendingUploads()).toEqual([])
  expect(await scene.journaled()).toEqual([])
}

it('a store that dies and comes back is waited for', async () => {
  const scene = await newScene('away')
  await uploadSome(scene)
  let back: Promise<void> = Promise.resolve()
  whenPartsAreSent(scene, async () => {
    await store.gateway.killHard()
    back = sleep(AWAY_MS).then(() => store.gateway.start())
  })
  const {exitCode, stderr, report} = await scene.transfer()
  await back
  expect(exitCode, stderr).toBe(0)
  expect(stderr.match(/Waiting until that is over/g)).toHaveLength(1)
  expect(report?.problems).toEqual([])
  await expectAllThere(scene)
})

it('a bucket that is gone ends the run with 3; once it is there again, so is everything', async () => {
  const scene = await newScene('gone')
  await uploadSome(scene)
  let isGone = false
  const keys = [...(await scene.expected()).keys()]
  for (const key of keys)
    store.faults.set(key, ({operation, phase}) => {
      isGone ||= operation === 'UploadPart'
      return isGone && phase === 'before' ? {kind: 'error', status: 404, code: 'NoSuchBucket'} : undefined
    })
  const {exitCode, stdout} = await scene.transfer()
  expect(exitCode).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({error: {code: 'BUCKET_UNKNOWN'}})
  store.faults.clear()
  expect((await scene.transfer()).exitCode).toBe(0)
  await expectAllThere(scene)
})

it('credentials that are revoked end the run with 3, with the offsets open', async () => {
  const scene = await newScene('revoked')
  await uploadSome(scene)
  whenPartsAreSent(scene, async () => {
    await store.gateway.killHard()
    await store.gateway.start('another-secret')
  })
  const {exitCode, stdout} = await scene.transfer()
  expect(exitCode).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({error: {code: 'STORE_CREDENTIALS'}})
  await store.gateway.killHard()
  await store.gateway.start()
  expect((await scene.transfer()).exitCode).toBe(0)
  await expectAllThere(scene)
})

it('a clock that is an hour ahead does not matter', async () => {
  const scene = await newScene('skewed', {
    NODE_OPTIONS: `--import ${SKEWED_CLOCK}`,
    SKEW_MS: String(HOUR_MS),
  })
  await uploadSome(scene)
  const {exitCode, stderr} = await scene.transfer()
  expect(exitCode, stderr).toBe(0)
  await expectAllThere(scene)
})

it('odd names arrive as they are; one that no store takes is held, and holds up nobody', async () => {
  const scene = await newScene('odd')
  const deep = Array.from({length: 5}, (_, index) => String(index).repeat(240)).join('/')
  const odd = {
    'e\u0301 decomposed': 'NFD',
    '\u00e9 composed': 'NFC',
    'a+b c%2Fd%20e': 'escapes',
    ' leading and trailing ': 'spaces',
    'q?x=1&y=#z;': 'query',
    'quotes \'"`<>|*\\': 'quotes',
    'emoji 😀/日本語/...dots': 'far away',
    ['n'.repeat(240)]: 'long',
    'dir/.hidden': '',
    'exactly-a-part': seededBytes(1, 5 << 20),
    '.streamtool-probe-0': 'not ours',
  }
  await writeTree(scene.input, odd)
  const expected = await scene.expected()
  await writeTree(scene.input, {[`${deep}/too long`]: 'x'})
  await scene.upload()
  const {exitCode, report, stderr} = await scene.transfer()
  expect(exitCode, stderr).toBe(4)
  expect(report?.problems).toMatchObject([
    {path: `${deep}/too long`, outcome: 'held', code: 'OBJECT_REFUSED'},
  ])
  expect(await scene.found()).toEqual(expected)
})

it('of contents that follow each other at once the last one stays, whoever writes it', async () => {
  const scene = await newScene('again')
  for (const content of [seededBytes(1, 6 << 20), Buffer.from('small'), seededBytes(2, 11 << 20)]) {
    await writeTree(scene.input, {'same/name.raw': content})
    await scene.upload()
  }
  const ends = await Promise.all([scene.transfer(), scene.transfer()])
  expect(ends.map(({exitCode}) => exitCode)).toEqual([0, 0])
  await expectAllThere(scene)
})
