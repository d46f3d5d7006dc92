/** The adapter of buckets on a store that calls can go wrong with, and that can be looked into behind its back. */
import {
  type BucketClient,
  type ChecksumName,
  connectBucket,
  createBucketDestination,
  type Capabilities,
  examineBucket,
  parseKeyTemplate,
  tidyUp,
  UploadJournal,
} from '../../../src/adapters/s3/index.js'
import {
  createMemorySpillStore,
  type MemorySpillStore,
} from '../../../src/adapters/memory/memory-spill-store.js'
import {systemClock} from '../../../src/adapters/system/clock.js'
import type {Clock, Destination, SpillStore} from '../../../src/core/ports/index.js'
import {type Call, type Fault, startBucket} from '../../../src/sandbox/bucket/index.js'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import {noSteps, type RecordedLog, recordedLog} from '../quiet.js'
import {type S3Access, s3Client} from '../s3-client.js'
import {startFaultProxy} from './fault-proxy.js'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export const BUCKET = 'files'
export const PART_BYTES = 5 << 20
/** A busy machine is no silent store. */
const PATIENCE_MS = 20_000

export type Intercept = (call: Call) => Fault | undefined | Promise<Fault | undefined>

export interface StoreUnderTest {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly stateDir: string
  /** What goes wrong from now on with calls for a key. */
  readonly faults: Map<string, Intercept>
  /** Null when there is none. */
  object(key: string): Promise<Buffer | null>
  /** Every object by key. */
  objects(): Promise<Map<string, Buffer>>
  metadata(key: string): Promise<Readonly<Record<string, string>>>
  /** Keys of multipart uploads that are not over. */
  pendingUploads(prefix?: string): Promise<string[]>
  close(): Promise<void>
}

/** @param others a store that others wrote, in which a bucket is made, instead of the sandbox's */
export async function startStore(others?: S3Access): Promise<StoreUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'streamtool-bucket-'))
  const faults = new Map<string, Intercept>()
  const intercept: Intercept = (call) => faults.get(call.key ?? '')?.(call)
  const sandbox =
    others === undefined
      ? await startBucket({dir, port: 0, buckets: [BUCKET], intercept, logger: recordedLog()})
      : null
  const proxy = others === undefined ? null : await startFaultProxy(others.endpoint, intercept)
  const access = (sandbox ?? others) as S3Access
  const {accessKeyId, secretAccessKey} = access
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  const s3 = s3Client(access, {responseChecksumValidation: 'WHEN_REQUIRED'})
  if (others !== undefined) await s3.send(new CreateBucketCommand({Bucket: BUCKET}))
  const get = async (Key: string) => s3.send(new GetObjectCommand({Bucket: BUCKET, Key}))
  return {
    endpoint: proxy?.endpoint ?? access.endpoint,
    accessKeyId,
    secretAccessKey,
    stateDir: dir,
    faults,
    objects: async () => {
      const found = new Map<string, Buffer>()
      let token: string | undefined
      do {
        const page = await s3.send(
          new ListObjectsV2Command({
            Bucket: BUCKET,
            ...(token === undefined ? {} : {ContinuationToken: token}),
          }),
        )
        const keys = (page.Contents ?? []).flatMap(({Key}) => Key ?? [])
        for (let at = 0; at < keys.length; at += 50) {
          const read = keys.slice(at, at + 50).map(async (key) => {
            const {Body} = await get(key)
            found.set(key, Buffer.from(await Body!.transformToByteArray()))
          })
          await Promise.all(read)
        }
        token = page.NextContinuationToken
      } while (token !== undefined)
      return found
    },
    object: (key) =>
      get(key).then(
        async ({Body}) => Buffer.from(await Body!.transformToByteArray()),
        (thrown: unknown) => {
          if (thrown instanceof Error && thrown.name === 'NoSuchKey') return null
          throw thrown
        },
      ),
    metadata: async (key) => (await get(key)).Metadata ?? {},
    pendingUploads: async (prefix = '') => {
      const {Uploads = []} = await s3.send(new ListMultipartUploadsCommand({Bucket: BUCKET, Prefix: prefix}))
      return Uploads.map(({Key}) => Key ?? '')
    },
    async close() {
      s3.destroy()
      await proxy?.close()
      await sandbox?.close()
      await rm(dir, {recursive: true, force: true})
    },
  }
}

export interface DestinationOptions {
  readonly key?: string
  readonly ifExists?: 'overwrite' | 'skip' | 'version' | 'fail'
  readonly memoryBytes?: number
  readonly partBytes?: number
  readonly capabilities?: Partial<Capabilities>
  readonly checksum?: ChecksumName | null
  readonly sha256?: boolean
  readonly customerKey?: Buffer
  readonly signal?: AbortSignal
  readonly deadline?: AbortSignal
  readonly concurrency?: number
  /** What the store can do is known: nothing is tried out. */
  readonly isKnown?: boolean
  /** Keeps the journal: processes that share it take over what others left. */
  readonly stateDir?: string
  readonly spill?: SpillStore
  readonly clock?: Clock
  /** A call on which nothing moves for so long is given up. */
  readonly silenceMs?: number
}

export interface OpenedBucket {
  readonly destination: Destination
  readonly client: BucketClient
  readonly capabilities: Capabilities
  readonly spill: MemorySpillStore
  readonly journal: UploadJournal
  readonly log: RecordedLog
}

/** A process's view of the store; several may be open at once, as several processes are. */
export async function openBucketOn(
  store: StoreUnderTest,
  options: DestinationOptions = {},
): Promise<OpenedBucket> {
  const signal = options.signal ?? new AbortController().signal
  const log = recordedLog()
  const {clock = systemClock, stateDir = store.stateDir} = options
  const {client, endpoint} = await connectBucket(
    {
      bucket: BUCKET,
      endpointUrl: store.endpoint,
      accessKeyId: store.accessKeyId,
      secretAccessKey: store.secretAccessKey,
      concurrency: options.concurrency ?? 16,
      silenceMs: options.silenceMs ?? PATIENCE_MS,
      ...(options.customerKey === undefined ? {} : {customerKey: options.customerKey}),
    },
    clock,
  )
  const found = await examineBucket(client, {
    // Null is AWS, which is known to do everything.
    endpoint: options.isKnown === true ? null : endpoint,
    prefix: '',
    tryOut: false,
    checksum: options.checksum === undefined ? 'CRC32' : options.checksum,
    signal,
  })
  const capabilities = {...found, ...options.capabilities}
  const spill = createMemorySpillStore()
  const journal = await UploadJournal.open(`${stateDir}/uploads`)
  const bucket = {
    client,
    capabilities,
    prefix: '',
    key: parseKeyTemplate(options.key ?? '{path}', ''),
    ifExists: options.ifExists ?? 'overwrite',
    object: {tags: {}, metadata: {}, sha256: options.sha256 ?? false},
    partBytes: options.partBytes ?? PART_BYTES,
    memoryBytes: options.memoryBytes ?? 48 << 20,
    journal,
    spill: options.spill ?? spill,
    clock,
    logger: log,
    steps: noSteps,
    signal,
    deadline: options.deadline ?? new AbortController().signal,
  } as const
  await tidyUp(bucket)
  return {destination: createBucketDestination(bucket), client, capabilities, spill, journal, log}
}
