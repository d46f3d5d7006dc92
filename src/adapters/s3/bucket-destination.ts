/** Files as objects of a bucket: opens writers, and knows what the bucket holds. */
import {setMaxListeners} from 'node:events'
import {StreamtoolError} from '../../core/errors.js'
import {Semaphore, Turns, waitOut} from '../../core/flow/index.js'
import type {
  Clock,
  Destination,
  FileWriter,
  IncomingFile,
  Logger,
  SpillStore,
  StepObserver,
} from '../../core/ports/index.js'
import {leavingBehind} from '../system/leave-behind.js'
import type {BucketClient} from './bucket-client.js'
import {type Capabilities, writeProbe} from './capabilities.js'
import {heldAs} from './generation-metadata.js'
import {type KeyTemplate, versionedKey} from './key-template.js'
import {LoneFailures} from './lone-failures.js'
import {fingerprintOf, type ObjectSettings} from './object-settings.js'
import {ObjectWriter} from './object-writer.js'
import {endNameless, endOrphans, ORPHANED_MS} from './orphans.js'
import {PartMemory} from './part-buffer.js'
import {type IfExists, verdictOn} from './publish.js'
import {ObjectRefused} from './store-errors.js'
import type {UploadJournal} from './upload-journal.js'
import type {WriterSite} from './writer-site.js'

/** Of the memory, for parts that are being filled; the others are being sent. */
const FILLING_SHARE = 1 / 3

export interface BucketDestinationOptions {
  readonly client: BucketClient
  readonly capabilities: Capabilities
  /** Part of {@link key}, too. */
  readonly prefix: string
  readonly key: KeyTemplate
  readonly ifExists: IfExists
  readonly object: ObjectSettings
  readonly partBytes: number
  /** Bounds the parts in memory. */
  readonly memoryBytes: number
  readonly journal: UploadJournal
  readonly spill: SpillStore
  readonly clock: Clock
  readonly logger: Logger
  readonly steps: StepObserver
  /** Ends every wait for the store. */
  readonly signal: AbortSignal
  /** Ends clearing up: uploads that are left stay in the journal, for the next start. */
  readonly deadline: AbortSignal
  /** Is told what is the matter with the store, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

export function createBucketDestination(options: BucketDestinationOptions): Destination {
  return new BucketDestination(options)
}

class BucketDestination implements Destination {
  private readonly writers = new Set<FileWriter>()
  private readonly site: WriterSite

  constructor(private readonly options: BucketDestinationOptions) {
    const {client, capabilities, logger, clock, memoryBytes, object, partBytes, ...shared} = options
    // Thousands of uploads may have to be ended at once.
    setMaxListeners(0, options.deadline)
    const fillingBytes = memoryBytes * FILLING_SHARE
    const sendingBytes = memoryBytes - fillingBytes
    const loneFailures = new LoneFailures({
      writesElsewhere: () => writeProbe(client, options.prefix, {signal: options.signal}),
      isOutage,
      clock,
    })
    const whenStoreAllows = waitOut({
      isSuspect: isOutage,
      troubleOf: (suspect, failing) => loneFailures.troubleOf(suspect, failing),
      onBegin: ({message, code}) => {
        options.onOutage?.(message)
        logger.warn(`${message} Waiting until that is over; nothing is lost meanwhile.`, {
          code,
          bucket: client.bucket,
        })
      },
      onOver: () => {
        options.onOutage?.(null)
        logger.info(`The bucket ${client.bucket} can be written to again: going on.`)
      },
      clock,
    })
    this.site = {
      ...shared,
      client,
      clock,
      object,
      conditions: capabilities.conditions,
      readsBack: capabilities.readsBack,
      fingerprint: fingerprintOf(object, client.checksums.name, client.customerKeyId),
      wantedPartBytes: partBytes,
      memory: new PartMemory(options.spill, fillingBytes, sendingBytes, partBytes),
      sending: new Semaphore(sendingBytes),
      turns: new Turns(),
      whenStoreAllows: (work, signal) =>
        whenStoreAllows(work, signal).catch((thrown: unknown) => {
          throw isOutage(thrown) ? refusalOf(thrown) : thrown
        }),
      onConcluded: (key) => this.endOrphansOf(key),
      onSettled: (writer) => this.writers.delete(writer),
    }
  }

  async open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter> {
    signal.throwIfAborted()
    const key = this.options.key.keyOf(file)
    const writer = new ObjectWriter(file, key, this.site, signal, this.options.signal)
    this.writers.add(writer)
    return writer
  }

  async recall(file: IncomingFile): Promise<'same' | 'newer' | 'nothing'> {
    const {client, ifExists, signal} = this.options
    if (!this.options.key.isKnownOf(file)) return 'nothing'
    const key = this.options.key.keyOf(file)
    for (const each of ifExists === 'version' ? [key, versionedKey(key, file)] : [key]) {
      const held = await this.site.whenStoreAllows(
        () => client.head(each, {signal}),
        () => signal,
      )
      if (held === null || held.generation === null) continue
      const generation = heldAs(file, file.sizeBytes ?? held.sizeBytes)
      if (generation.path !== held.generation.path) continue
      const claim = {path: file.path, key: each, otherKey: null, isMoved: false, generation, checksums: {}}
      const verdict = verdictOn(held, {...claim, ifExists: 'overwrite'})
      if (verdict === 'unchanged' || verdict === 'refresh') return 'same'
      if (verdict === 'superseded') return 'newer'
    }
    return 'nothing'
  }

  async close(): Promise<void> {
    const {journal, client, logger, deadline: signal} = this.options
    await Promise.all([...this.writers].map((writer) => this.leave(() => writer.discard())))
    await this.leave(async () => {
      if (journal.orphans.size > 0) await endNameless(this.options, {signal})
    })
    const {size: left} = journal.live
    if (left > 0)
      logger.info(
        `Uploads that could not be ended are left to the next start, which goes on with them: ${left}.`,
      )
    await journal.close()
    client.close()
  }

  private async endOrphansOf(key: string): Promise<void> {
    const {journal} = this.options
    if (journal.orphans.size === 0) return
    const {deadline: signal} = this.options
    await this.leave(() => endOrphans(this.options, 0, {signal}, ({entry}) => entry.key === key))
  }

  /** It is in the journal. */
  private leave(work: () => Promise<unknown>): Promise<void> {
    return leavingBehind(work, this.options.logger)
  }
}

/** Ends what dead processes left long ago, or was never begun. That this fails is no reason not to start. */
export async function tidyUp(options: BucketDestinationOptions): Promise<void> {
  if (options.journal.orphans.size === 0) return
  try {
    await endNameless(options, {signal: options.signal})
    await endOrphans(options, ORPHANED_MS, {signal: options.signal})
  } catch (thrown) {
    if (!(thrown instanceof StreamtoolError)) throw thrown
    options.logger.warn(`${thrown.message} What a crash left there stays for now.`, {code: thrown.code})
  }
}

function isOutage(thrown: unknown): thrown is StreamtoolError {
  return thrown instanceof StreamtoolError && thrown.code === 'STORE_UNREACHABLE'
}

/** Of a failure that is not the store's, but of one object. */
function refusalOf(failure: StreamtoolError): ObjectRefused {
  return new ObjectRefused('other', `${failure.message} Other objects can be written meanwhile.`, {
    facts: failure.facts,
    suggestions: [
      'Look at what the store, or a proxy on the way to it, has against this key or this content.',
      'The file is tried again at the next start, or after --retry-held.',
    ],
    cause: failure,
  })
}
