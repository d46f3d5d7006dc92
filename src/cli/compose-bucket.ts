/**
 * What `s3-transfer` is made of: the adapter of buckets, with a place for what exceeds memory and a journal of uploads.
 */
import {join} from 'node:path'
import type {BucketPlace, Capabilities, ChecksumName, IfExists, ObjectSettings} from '../adapters/s3/index.js'
import {systemClock} from '../adapters/system/clock.js'
import type {Logger, SpillStore} from '../core/ports/index.js'
import {defaultStateDir, stepObserver, temporaryDirectory} from './compose.js'
import {readCustomerKey} from './customer-key.js'
import type {Delivery} from './delivery.js'
import type {DeliverySurroundings} from './file-consuming-command.js'
import {severalOutages, type TellOutage} from './outages.js'
import {DEFAULT_KEY} from './settings/groups/s3.js'

export {MOST_ADDED_BYTES} from '../adapters/s3/generation-metadata.js'
export {LARGEST_PART_BYTES, SMALLEST_PART_BYTES} from '../adapters/s3/part-plan.js'

export interface BucketOptions {
  readonly place: BucketPlace
  readonly topic: string
  readonly prefix: string
  /** Template of keys. */
  readonly key: string
  readonly ifExists: IfExists
  readonly object: ObjectSettings
  readonly partBytes: number
  /** Bounds the parts in memory. */
  readonly memoryBytes: number
  /** Null: the store is given none, and every object is read back. */
  readonly checksum: ChecksumName | null
  /** Holds the key by which the store encrypts. */
  readonly customerKeyFile: string | undefined
  readonly spillDir: string | undefined
  readonly stateDir: string | undefined
  readonly logger: Logger
  /** Ends waiting for the store. */
  readonly signal: AbortSignal
  /** Is told what is the matter with the store, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

/** A bucket that files are stored in, with its group and a place for chunks that came early. */
export async function openBucket(
  options: BucketOptions & Pick<DeliverySurroundings, 'deadline'>,
): Promise<Delivery> {
  const {place, topic, prefix, key, logger, signal, checksum} = options
  const s3 = await import('../adapters/s3/index.js')
  const template = s3.parseKeyTemplate(key, prefix)
  if (!template.tellsPathsApart)
    logger.warn('With this --key, files of different directories may have the same key; such files are held.')
  const {client, endpoint} = await s3.connectBucket(await withCustomerKey(options), systemClock)
  const opened: {close(): Promise<void>}[] = [{close: async () => client.close()}]
  const closeAll = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each.close()
  }
  try {
    const examined = {endpoint, prefix, tryOut: false, checksum, signal}
    const capabilities = await s3.examineBucket(client, examined)
    for (const line of s3.shortcomings(capabilities)) logger.warn(line)
    const clockWarning = s3.clockWarning(client.clockOffsetMs)
    if (clockWarning !== null) logger.warn(clockWarning)
    const outageOf = severalOutages(options.onOutage ?? (() => undefined))
    const spill = await openSpill({...options, onOutage: outageOf()})
    opened.push(spill)
    const id = s3.destinationId(endpoint ?? 'aws', place.bucket, prefix)
    // Under other keys it is another destination, which gets every file too; uploads under way are one place's.
    const layout = key === DEFAULT_KEY ? '' : `-${s3.destinationId(key)}`
    const journal = await s3.UploadJournal.open(journalDirectory(options.stateDir, id))
    const bucket = {
      ...options,
      onOutage: outageOf(),
      client,
      capabilities,
      key: template,
      journal,
      spill,
      clock: systemClock,
      steps: stepObserver(),
    }
    const destination = s3.createBucketDestination(bucket)
    opened.push(destination)
    await s3.tidyUp(bucket)
    return {
      destination,
      spill,
      memoryBytes: options.memoryBytes,
      defaultGroup: () => Promise.resolve(`streamtool-s3-${topic}-${id}${layout}`),
      close: closeAll,
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

async function withCustomerKey({
  place,
  customerKeyFile,
}: Pick<BucketOptions, 'place' | 'customerKeyFile'>): Promise<BucketPlace> {
  if (customerKeyFile === undefined) return place
  return {...place, customerKey: await readCustomerKey(customerKeyFile)}
}

/** Where chunks and parts wait that exceed the memory. A full disk is waited out. */
async function openSpill({
  spillDir,
  logger,
  signal,
  onOutage,
}: Pick<BucketOptions, 'spillDir' | 'logger' | 'signal'> & {onOutage: TellOutage}): Promise<
  SpillStore & {close(): Promise<void>}
> {
  const [{createSpillStore}, {waitOutSpillOutages}] = await Promise.all([
    import('../adapters/files/spill-store.js'),
    import('../adapters/files/spill-outage.js'),
  ])
  const temporary = spillDir === undefined ? await temporaryDirectory('spill') : null
  const directory = temporary?.path ?? spillDir ?? ''
  const whenStorageAllows = waitOutSpillOutages({directory, clock: systemClock, logger, onOutage})
  const spill = await createSpillStore(directory, {whenStorageAllows, signal}).catch(
    async (thrown: unknown) => {
      await temporary?.remove()
      throw thrown
    },
  )
  return {
    create: (ends) => spill.create(ends),
    async close() {
      await spill.close()
      await temporary?.remove()
    },
  }
}

/** What is asked of a bucket beside delivering to it. */
export async function examineBucketOnly({
  prefix,
  checksum,
  signal,
  ...options
}: Pick<
  BucketOptions,
  'place' | 'customerKeyFile' | 'prefix' | 'checksum' | 'signal'
>): Promise<BucketExamination> {
  const s3 = await import('../adapters/s3/index.js')
  const {client, endpoint} = await s3.connectBucket(await withCustomerKey(options), systemClock)
  try {
    const capabilities = await s3.examineBucket(client, {
      endpoint,
      prefix,
      tryOut: true,
      checksum,
      signal,
    })
    const clockOffsetMs = client.clockOffsetMs
    const clockWarning = s3.clockWarning(clockOffsetMs)
    const shortcomings = [...s3.shortcomings(capabilities), ...(clockWarning === null ? [] : [clockWarning])]
    return {endpoint, capabilities, clockOffsetMs, shortcomings}
  } finally {
    client.close()
  }
}

export interface BucketExamination {
  readonly endpoint: string | null
  readonly capabilities: Capabilities
  /** The store's clock less ours. */
  readonly clockOffsetMs: number
  readonly shortcomings: readonly string[]
}

/** @returns how many uploads of ours were ended */
export async function endUploads(
  olderThanMs: number,
  {place, prefix, stateDir, logger, signal}: Omit<BucketOptions, 'topic' | 'key'>,
): Promise<number> {
  const s3 = await import('../adapters/s3/index.js')
  const {client, endpoint} = await s3.connectBucket(place, systemClock)
  const id = s3.destinationId(endpoint ?? 'aws', place.bucket, prefix)
  const journal = await s3.UploadJournal.open(journalDirectory(stateDir, id))
  try {
    return await s3.endOrphans({client, journal, clock: systemClock, logger}, olderThanMs, {signal})
  } finally {
    await journal.close()
    client.close()
  }
}

function journalDirectory(stateDir: string | undefined, destination: string): string {
  return join(stateDir ?? defaultStateDir(), 'uploads', destination)
}
