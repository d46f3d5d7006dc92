/**
 * What `s3-transfer` is made of: the adapter of buckets, with a place for what exceeds memory and a journal of uploads.
 */
import {join} from 'node:path'
import type {BucketPlace, Capabilities, IfExists, ObjectSettings} from '../adapters/s3/index.js'
import {systemClock} from '../adapters/system/clock.js'
import type {Logger} from '../core/ports/index.js'
import {defaultStateDir, stepObserver, temporaryDirectory} from './compose.js'
import type {Delivery} from './delivery.js'

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
  /** False: the store is not given checksums, and every object is read back. */
  readonly usesChecksums: boolean
  readonly spillDir: string | undefined
  readonly stateDir: string | undefined
  readonly logger: Logger
  /** Ends waiting for the store. */
  readonly signal: AbortSignal
  /** Is told what is the matter with the store, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

/** A bucket that files are stored in, with its group and a place for chunks that came early. */
export async function openBucket(options: BucketOptions): Promise<Delivery> {
  const {place, topic, prefix, key, logger, signal, usesChecksums} = options
  const s3 = await import('../adapters/s3/index.js')
  const {createSpillStore} = await import('../adapters/files/spill-store.js')
  const template = s3.parseKeyTemplate(key, prefix)
  if (!template.tellsPathsApart)
    logger.warn('With this --key, files of different directories may have the same key; such files are held.')
  const {client, endpoint} = await s3.connectBucket(place, systemClock)
  const opened: {close(): Promise<void>}[] = [{close: async () => client.close()}]
  const closeAll = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each.close()
  }
  try {
    const examined = {endpoint, prefix, tryOut: false, usesChecksums, signal}
    const capabilities = await s3.examineBucket(client, examined)
    for (const line of s3.shortcomings(capabilities)) logger.warn(line)
    const spillPlace = options.spillDir === undefined ? await temporaryDirectory('spill') : null
    if (spillPlace !== null) opened.push({close: () => spillPlace.remove()})
    const spill = await createSpillStore(spillPlace?.path ?? options.spillDir ?? '', {signal})
    opened.push(spill)
    const id = s3.destinationId(endpoint ?? 'aws', place.bucket, prefix)
    // Under other keys it is another destination, which gets every file too; uploads under way are one place's.
    const layout = key === s3.DEFAULT_KEY ? '' : `-${s3.destinationId(key)}`
    const journal = await s3.UploadJournal.open(journalDirectory(options.stateDir, id))
    const bucket = {
      ...options,
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

/** What is asked of a bucket beside delivering to it. */
export async function examineBucketOnly({
  place,
  prefix,
  signal,
}: Pick<BucketOptions, 'place' | 'prefix' | 'signal'>): Promise<BucketExamination> {
  const s3 = await import('../adapters/s3/index.js')
  const {client, endpoint} = await s3.connectBucket(place, systemClock)
  try {
    const capabilities = await s3.examineBucket(client, {
      endpoint,
      prefix,
      tryOut: true,
      usesChecksums: true,
      signal,
    })
    return {endpoint, capabilities, shortcomings: s3.shortcomings(capabilities)}
  } finally {
    client.close()
  }
}

export interface BucketExamination {
  readonly endpoint: string | null
  readonly capabilities: Capabilities
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
