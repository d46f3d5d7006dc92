/** What a relay shows of itself, and how its input and its output are switched from outside. */
import type {InputStatus, Logger, PartitionStatus, RunControl, RunStatus} from '../../core/ports/index.js'
import type {BrokerWatch} from '../running/broker-watch.js'
import type {InputBinding, OutputBinding} from './binding.js'
import type {RelayOptions} from './options.js'
import type {RelayHandler} from './relay-handler.js'
import type {RelayTally} from './tally.js'

const INPUT = 'input'
const OUTPUT = 'output'

export interface RelayControlOptions {
  readonly options: Pick<RelayOptions, 'inputs' | 'output' | 'group'>
  readonly startedMs: number
  readonly binding: InputBinding
  readonly outputBinding: OutputBinding
  readonly tally: RelayTally
  readonly watch: BrokerWatch
  readonly logger: Logger
  /** Aborted, the run ends well. */
  readonly end: AbortController
  /** Asks for that from outside. */
  readonly signal: AbortSignal
}

export class RelayControl implements RunControl {
  private handler: RelayHandler | null = null
  private hasEnded = false

  constructor(private readonly options: RelayControlOptions) {}

  /** Everything is prepared, and this is what runs. */
  runs(handler: RelayHandler): void {
    this.handler = handler
  }

  ended(): void {
    this.hasEnded = true
  }

  status(): RunStatus {
    const {options, startedMs, watch, tally, outputBinding} = this.options
    const inFlight = this.handler?.inFlight ?? {records: 0, bytes: 0}
    return {
      phase: this.phase(),
      startedMs,
      broker: watch.status,
      inputs: options.inputs.map((topic) => this.input(topic)),
      outputs: [{binding: OUTPUT, name: options.output, state: outputBinding.state}],
      counts: {
        'records.read': tally.read,
        'records.written': tally.written,
        'records.failed': tally.failed,
        'records.dead.lettered': tally.deadLettered,
      },
      levels: {'in.flight.records': inFlight.records, 'in.flight.bytes': inFlight.bytes},
    }
  }

  async pause(name: string): Promise<void> {
    if (name === INPUT) this.options.binding.pause()
    // Nor can Spring Cloud Stream's, whose words these are nearly.
    if (name === OUTPUT)
      this.options.logger.warn(
        'The output cannot be paused: stop it, and start it again, or pause the input.',
      )
  }

  async resume(name: string): Promise<void> {
    if (name === INPUT) this.options.binding.resume()
  }

  async stop(name: string): Promise<void> {
    if (name === INPUT) await this.options.binding.stop()
    if (name === OUTPUT) await this.options.outputBinding.stop()
  }

  async start(name: string): Promise<void> {
    if (name === INPUT) this.options.binding.start()
    if (name === OUTPUT) this.options.outputBinding.start()
  }

  shutdown(): void {
    this.options.end.abort()
  }

  private phase(): RunStatus['phase'] {
    const {end, signal} = this.options
    if (this.hasEnded) return 'ended'
    if (end.signal.aborted || signal.aborted) return 'draining'
    return this.handler === null ? 'starting' : 'running'
  }

  private input(topic: string): InputStatus {
    const {options, binding} = this.options
    const table = this.handler?.tables?.get(topic)
    const isAssigned = this.handler !== null && this.handler.tables !== null
    return {
      binding: INPUT,
      topic,
      group: options.group,
      state: binding.state,
      lastPollMs: this.handler?.lastPollMs.get(topic) ?? null,
      partitions: isAssigned
        ? (table?.entries() ?? []).map(([partition, {ledger, readPosition, endOffset}]): PartitionStatus => ({
            partition,
            position: readPosition,
            safeOffset: ledger.safeOffset,
            endOffset,
          }))
        : null,
    }
  }
}
