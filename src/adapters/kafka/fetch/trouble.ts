/**
 * What becomes of a partition's failures: backed off from, told once, and when they last too long or cannot heal,
 * the end of the run.
 */
import {StreamtoolError} from '../../../core/errors.js'
import type {Clock, Logger} from '../../../core/ports/index.js'
import {ProtocolFailure, TransportFailure} from '../transport/failures.js'
import {verdictOf} from './fetch-codes.js'
import type {FetchedPartition} from './fetched-partition.js'

/** A corrupt batch may have been damaged on its way; one that is on the broker's disk stays so. */
const CORRUPT_TRIES = 5
/** Leaders move all the time; failures before this are not worth a word. */
const FAILURES_BEFORE_WARNING = 4

export interface TroubleOptions {
  /** How long a partition may do nothing but fail. */
  readonly toleranceMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Ends the run. */
  readonly giveUp: (error: unknown, partition: FetchedPartition) => void
}

export class Trouble {
  constructor(private readonly options: TroubleOptions) {}

  /** One cause, however many partitions have it. */
  with(partitions: readonly FetchedPartition[], error: unknown): void {
    const {clock, logger} = this.options
    for (const partition of partitions) this.#count(partition, error, clock.nowMs())
    const [first] = partitions
    if (first === undefined) return
    const facts = {
      topic: first.topic,
      partition: first.partition,
      offset: first.position,
      morePartitions: partitions.length - 1,
      reason: error instanceof Error ? error.message : String(error),
    }
    if (partitions.some(({failures}) => failures === FAILURES_BEFORE_WARNING)) {
      logger.warn('a partition cannot be read at the moment, trying again', facts)
    } else {
      logger.debug('a partition could not be read', facts)
    }
  }

  #count(partition: FetchedPartition, error: unknown, nowMs: number): void {
    const failingMs = partition.failed(nowMs)
    const mayHeal = isCorrupt(error)
      ? partition.failures < CORRUPT_TRIES
      : failingMs < this.options.toleranceMs
    if (!mayHeal || isFinal(error)) this.options.giveUp(error, partition)
  }
}

const isCorrupt = (error: unknown): boolean =>
  error instanceof StreamtoolError && error.code === 'BATCH_CORRUPT'

function isFinal(error: unknown): boolean {
  if (error instanceof TransportFailure) return !error.retriable
  if (error instanceof ProtocolFailure) return verdictOf(error.code) === 'final'
  return !isCorrupt(error)
}
