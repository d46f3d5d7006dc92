/** A topic, files that are to be uploaded to it, and a bucket that `s3-transfer` is to bring them to. */
import {createHash} from 'node:crypto'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createKafkaClient} from '../../../src/adapters/kafka/index.js'
import {streamtoolJson} from '../cli.js'
import {silentLogger} from '../delivery.js'
import {createTopic} from '../kafka-levers.js'
import {type BucketRun, bucketRun} from './bucket-run.js'
import type {StoreUnderTest} from './bucket-under-test.js'

const PARTITIONS = 3

export interface TransferScene extends BucketRun {
  readonly topic: string
  readonly store: StoreUnderTest
  /** What is to be uploaded. */
  readonly input: string
  /** Keeps the journal of uploads. */
  readonly stateDir: string
  upload(...args: readonly string[]): Promise<void>
  /** One more topic, named after this one. @returns its name */
  makeTopic(suffix: string): Promise<string>
  /** Records that are no chunks. */
  spoil(count: number): Promise<void>
  /** By key. */
  expected(): Promise<Map<string, string>>
  /** By key, as the bucket has it. */
  found(): Promise<Map<string, string>>
  /** What the journal still has of uploads. */
  journaled(): Promise<string[]>
}

export interface SceneOptions {
  readonly topic: string
  readonly store: StoreUnderTest
  readonly bootstrap: string
  readonly newDirectory: () => Promise<string>
  /** Of `s3-transfer`. */
  readonly env?: NodeJS.ProcessEnv
}

export async function transferScene({
  topic,
  store,
  bootstrap,
  newDirectory,
  env = {},
}: SceneOptions): Promise<TransferScene> {
  const [input, stateDir] = [await newDirectory(), await newDirectory()]
  await createTopic(bootstrap, topic, PARTITIONS)
  return {
    topic,
    store,
    input,
    stateDir,
    ...bucketRun({store, topic, bootstrap, stateDir, env}),
    async upload(...args) {
      await streamtoolJson(['upload', input, '--topic', topic, '--brokers', bootstrap, ...args])
    },
    async makeTopic(suffix) {
      await createTopic(bootstrap, `${topic}${suffix}`, 1)
      return `${topic}${suffix}`
    },
    async spoil(count) {
      const client = createKafkaClient({brokers: [bootstrap], clientId: 'spoiler'}, {logger: silentLogger})
      const records = Array.from({length: count}, (_, index) => ({
        key: null,
        value: [Buffer.from(`no chunk, number ${index}`)],
        headers: [],
      }))
      await client.producer().send({topic, partition: 0, records})
      await client.close()
    },
    async expected() {
      const entries = (await readdir(input, {recursive: true, withFileTypes: true})).filter((e) => e.isFile())
      const files = entries.map(async ({parentPath, name}) => {
        const local = join(parentPath, name)
        return [`${topic}/${local.slice(input.length + 1)}`, digest(await readFile(local))] as const
      })
      return inOrder(await Promise.all(files))
    },
    async found() {
      return inOrder([...(await store.objects())].map(([key, content]) => [key, digest(content)] as const))
    },
    async journaled() {
      const found = await readdir(join(stateDir, 'uploads'), {recursive: true}).catch(() => [])
      return found.filter((name) => name.endsWith('.json'))
    },
  }
}

const digest = (content: Buffer) =>
  `${content.length} bytes, ${createHash('sha256').update(content).digest('hex')}`

const inOrder = (entries: readonly (readonly [string, string])[]) =>
  new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
