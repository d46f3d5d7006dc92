/** A command that talks to Kafka: it connects, stops well on signals, and closes what it opened. */
import type {ExitCode} from '../core/errors.js'
import type {Reporter} from '../core/report.js'
import {StreamtoolCommand, type CommandSettings, type Invocation} from './base-command.js'
import type {KafkaClient} from './compose.js'
import type {kafkaCommandSettings} from './settings/catalog.js'
import type {Settings, Values} from './settings/setting.js'
import type {Stopping} from './signals.js'
import type {RunWatch} from './run-watch.js'
import type {Watched, Watching, WatchValues} from './watching.js'

export type KafkaCommandSettings = CommandSettings & typeof kafkaCommandSettings

export interface KafkaInvocation<S extends Settings> extends Invocation<S> {
  readonly kafka: KafkaClient
  readonly stopping: Stopping
  /** Also notices that the work has begun, until when a stop cuts connecting short. */
  readonly reporter: Reporter
  /** Who counts for those who watch from outside; null when nobody does. */
  readonly watch: RunWatch | null
}

export abstract class KafkaCommand<S extends KafkaCommandSettings> extends StreamtoolCommand<S> {
  /** One line for the time until the first progress. */
  protected abstract titleOf(values: Values<S>): string
  /** Whether the command ends by itself; one that runs until stopped also stops when nobody reads its events. */
  protected abstract endsByItself(values: Values<S>): boolean
  protected abstract work(invocation: KafkaInvocation<S>): Promise<ExitCode>
  /** Overridden by a command that has more to show, and to be told, and serves that itself. */
  protected readonly servesItself: boolean = false
  /** Of a command that rather waits for brokers than says soon that there are none. */
  protected waitsForBrokers?(values: Values<S>): boolean
  /** Stopped before the work began. */
  protected abstract stoppedEarly(invocation: Invocation<S>): Promise<ExitCode>

  protected override async execute(invocation: Invocation<S>): Promise<ExitCode> {
    const [{openKafka}, {connectionOf}, {stopOnSignals}, {processStreams}] = await Promise.all([
      import('./compose.js'),
      import('./kafka-connection.js'),
      import('./signals.js'),
      import('./output/streams.js'),
    ])
    const {output} = invocation
    const values: Values<KafkaCommandSettings> = invocation.values
    const {outageTolerance} = values
    const connection = {
      ...(await connectionOf(values)),
      ...(this.waitsForBrokers?.(invocation.values) === true ? {firstConnectionMs: outageTolerance} : {}),
    }
    const stopping = stopOnSignals({
      shutdownTimeoutMs: values.shutdownTimeout,
      say: (message) => output.logger.info(message),
    })
    if (!this.endsByItself(invocation.values))
      processStreams().stdout.onReaderGone(() => stopping.stop('nobody reads stdout any more'))
    const kafka = await openKafka(connection, output.logger)
    const work = {begun: false}
    const cutConnecting = () => {
      // A lost broker is waited for with patience, which nobody has after Ctrl-C.
      if (!work.begun) void kafka.close()
    }
    stopping.signal.addEventListener('abort', cutConnecting)
    let watching: Watching | null = null
    const reporter: Reporter = {
      event: (event) => {
        work.begun ||= event.event === 'started'
        watching?.run.event(event)
        output.reporter.event(event)
      },
      watch: (progress) => {
        watching?.run.watch(progress)
        output.reporter.watch(progress)
      },
    }
    try {
      watching = await this.#openWatching(values, {kafka, stopping, logger: output.logger})
      await output.begin(this.titleOf(invocation.values))
      return await this.work({...invocation, kafka, stopping, reporter, watch: watching?.run ?? null})
    } catch (error) {
      if (stopping.signal.aborted && !work.begun) return await this.stoppedEarly(invocation)
      throw error
    } finally {
      stopping.signal.removeEventListener('abort', cutConnecting)
      await watching?.close()
      await kafka.close()
      stopping.dispose()
    }
  }

  async #openWatching(values: Values<KafkaCommandSettings>, watched: Watched): Promise<Watching | null> {
    if (this.servesItself || !('metricsPort' in values)) return null
    const {openWatching} = await import('./watching.js')
    return openWatching(values as WatchValues, watched)
  }
}
