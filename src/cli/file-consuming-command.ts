/**
 * A command that puts files together from a topic and delivers them somewhere: a directory now, others as their own
 * small commands. A subclass says where to; group, membership, stopping and report are the same for all.
 */
import {ExitCode, StreamtoolError} from '../core/errors.js'
import type {Logger} from '../core/ports/index.js'
import {type DeliverReport, nothingDelivered} from '../core/report.js'
import type {Invocation} from './base-command.js'
import type {KafkaClient} from './compose.js'
import type {Delivery} from './delivery.js'
import {keepGarbageSmall} from './garbage.js'
import {KafkaCommand, type KafkaCommandSettings, type KafkaInvocation} from './kafka-command.js'
import type {fileConsumingSettings} from './settings/catalog.js'
import {asMember, setBack} from './membership.js'
import {pathFilter} from './path-filter.js'
import type {Settings, Values} from './settings/setting.js'
import {stopTimes} from './signals.js'

export type FileConsumingSettings = KafkaCommandSettings & typeof fileConsumingSettings

/** "Commit every 5 s or 1,000 files", and on every rebalance and at the end. */
const COMMIT_INTERVAL_MS = 5_000
const COMMIT_FILES = 1_000

/** Of the memory, for what is fetched and not looked at yet. */
const FETCH_SHARE = 1 / 4

export interface DeliverySurroundings {
  readonly logger: Logger
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal
  /** Aborted when a stop has no time left to clear up: what is left is left to the next start. */
  readonly deadline: AbortSignal
  readonly kafka: KafkaClient
  /** Ends the run with this error: nothing can be delivered any more. */
  readonly fail: (error: StreamtoolError) => void
  /** To be told what is the matter with the place that files go to, and null when that is over: then it is not ready. */
  readonly onOutage: (reason: string | null) => void
}

export abstract class FileConsumingCommand<S extends FileConsumingSettings> extends KafkaCommand<S> {
  protected abstract openDelivery(values: Values<S>, surroundings: DeliverySurroundings): Promise<Delivery>
  /** How the closing summary begins: "Delivered 3 files". */
  protected readonly doneWord: string = 'Delivered'

  protected override endsByItself(values: Values<Settings>): boolean {
    return values['once'] === true
  }

  protected override async work(invocation: KafkaInvocation<S>): Promise<ExitCode> {
    const [{clock, stepObserver}, {deliverFiles}, {summarizeDelivery}] = await Promise.all([
      import('./compose.js'),
      import('../pipelines/deliver-files.js'),
      import('./output/summary.js'),
    ])
    const {kafka, stopping, reporter, output, watch} = invocation
    const {logger} = output
    const values: Values<FileConsumingSettings> = invocation.values
    const wants = pathFilter(values)
    givingUp(values)
    keepGarbageSmall()
    const failed = new AbortController()
    const delivery = await this.openDelivery(invocation.values, {
      logger,
      signal: stopping.signal,
      deadline: stopping.deadline,
      kafka,
      fail: (error) => failed.abort(error),
      onOutage: (reason) => watch?.storage(reason),
    })
    try {
      const group = values.group ?? (await delivery.defaultGroup())
      logger.info(`Consumer group: ${group}`)
      const admin = kafka.admin()
      if (values.fromBeginning) await setBack(admin, group, [values.topic])
      const membership = {groupId: group, topics: [values.topic], fetchBytes: values.memory * FETCH_SHARE}
      const {report, exitCode, stoodBy} = await asMember(kafka, membership, values, (consumer) =>
        deliverFiles(
          {
            command: this.commandName,
            topic: values.topic,
            group,
            once: values.once,
            incompleteAfterMs: values.incompleteAfter,
            memoryBytes: values.memory * (1 - FETCH_SHARE) - (delivery.memoryBytes ?? 0),
            concurrency: delivery.finishing ?? values.concurrency,
            commitIntervalMs: COMMIT_INTERVAL_MS,
            commitFiles: COMMIT_FILES,
            generations: values.generations,
            wants,
            ...givingUp(values),
          },
          {
            consumer,
            admin,
            reader: kafka.reader(),
            producer: kafka.producer(),
            destination: delivery.destination,
            spill: delivery.spill,
            clock,
            logger,
            reporter,
            steps: stepObserver(),
            onView: (view) => watch?.sees(view),
          },
          AbortSignal.any([stopping.signal, failed.signal]),
        ),
      )
      failed.signal.throwIfAborted()
      await output.finish(report, summarizeDelivery(report, this.doneWord), exitCode === ExitCode.done)
      if (!stoodBy && foundNothingNew(values, report))
        logger.info(`To read ${values.topic} from its start once more: --from-beginning`)
      return exitCode
    } finally {
      await delivery.close()
    }
  }

  protected override async stoppedEarly({values, output}: Invocation<S>): Promise<ExitCode> {
    const {summarizeDelivery} = await import('./output/summary.js')
    const {once, topic, group}: Values<FileConsumingSettings> = values
    const report = nothingDelivered(this.commandName, topic, group ?? '', once)
    await output.finish(report, summarizeDelivery(report, this.doneWord), !once)
    return once ? ExitCode.interrupted : ExitCode.done
  }
}

/** @throws SETTING_INVALID */
function givingUp({
  topic,
  deadLetterTopic,
  parkAfter,
  onFailure,
  retryHeld,
  shutdownTimeout,
}: Values<FileConsumingSettings>) {
  if (deadLetterTopic === topic)
    throw new StreamtoolError('SETTING_INVALID', 'The dead-letter topic is the topic that is read.', {
      suggestions: ['Name another one with --dead-letter-topic.'],
    })
  if (parkAfter !== undefined && deadLetterTopic === undefined)
    throw new StreamtoolError('SETTING_INVALID', '--park-after needs a topic for what is given up.', {
      suggestions: ['Name one with --dead-letter-topic; streamtool retry reads it.'],
    })
  if (onFailure === 'dead-letter' && deadLetterTopic === undefined)
    throw new StreamtoolError(
      'SETTING_INVALID',
      '--on-failure dead-letter needs a topic to give files up to.',
      {
        suggestions: ['Name one with --dead-letter-topic; streamtool retry reads it.'],
      },
    )
  return {
    deadLetterTopic: deadLetterTopic ?? null,
    parkAfterMs: parkAfter ?? null,
    onFailure,
    retryHeldMs: retryHeld ?? null,
    stopDrainMs: stopTimes(shutdownTimeout).drainMs,
  }
}

const foundNothingNew = ({once, fromBeginning}: Values<FileConsumingSettings>, report: DeliverReport) =>
  once && !fromBeginning && !report.interrupted && report.records === 0
