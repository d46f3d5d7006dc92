/** A command that talks to Kafka: it connects, stops well on signals, and closes what it opened. */
import type {ExitCode} from '../core/errors.js'
import type {Reporter} from '../core/report.js'
import {StreamtoolCommand, type CommandSettings, type Invocation} from './base-command.js'
import type {KafkaClient} from './compose.js'
import type {kafkaCommandSettings} from './settings/catalog.js'
import type {Settings, Values} from './settings/setting.js'
import type {Stopping} from './signals.js'

export type KafkaCommandSettings = CommandSettings & typeof kafkaCommandSettings

export interface KafkaInvocation<S extends Settings> extends Invocation<S> {
  readonly kafka: KafkaClient
  readonly stopping: Stopping
  /** Also notices that the work has begun, until when a stop cuts connecting short. */
  readonly reporter: Reporter
}

export abstract class KafkaCommand<S extends KafkaCommandSettings> extends StreamtoolCommand<S> {
  /** One line for the time until the first progress. */
  protected abstract titleOf(values: Values<S>): string
  /** Whether the command ends by itself; one that runs until stopped also stops when nobody reads its events. */
  protected abstract endsByItself(values: Values<S>): boolean
  protected abstract work(invocation: KafkaInvocation<S>): Promise<ExitCode>
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
    const connection = await connectionOf(values)
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
    const reporter: Reporter = {
      event: (event) => {
        work.begun ||= event.event === 'started'
        output.reporter.event(event)
      },
      watch: (progress) => output.reporter.watch(progress),
    }
    try {
      await output.begin(this.titleOf(invocation.values))
      return await this.work({...invocation, kafka, stopping, reporter})
    } catch (error) {
      if (stopping.signal.aborted && !work.begun) return await this.stoppedEarly(invocation)
      throw error
    } finally {
      stopping.signal.removeEventListener('abort', cutConnecting)
      await kafka.close()
      stopping.dispose()
    }
  }
}
