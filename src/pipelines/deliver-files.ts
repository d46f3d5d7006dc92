/** Placeholder of the signature that the command line is built against. */
import type {
  Clock,
  Destination,
  GroupConsumer,
  Logger,
  SpillStore,
  StepObserver,
  TopicAdmin,
} from '../core/ports.js'
import type {DeliverReport, PipelineResult, Reporter} from './report.js'

export interface DeliverFilesOptions {
  readonly command: string
  readonly topic: string
  readonly group: string
  /** Stop at the end that the topic had at the start. */
  readonly once: boolean
  /** An incomplete file younger than this is `open`, which is no error. */
  readonly incompleteAfterMs: number
  /** Bounds every buffer together. */
  readonly memoryBytes: number
  /** Finished files that may wait for, or be in, their destination's last step at once. */
  readonly concurrency: number
  readonly commitIntervalMs: number
  readonly commitFiles: number
}

export interface DeliverFilesPorts {
  readonly consumer: GroupConsumer
  readonly admin: TopicAdmin
  readonly destination: Destination
  readonly spill: SpillStore
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
  readonly steps: StepObserver
}

export declare function deliverFiles(
  options: DeliverFilesOptions,
  ports: DeliverFilesPorts,
  signal: AbortSignal,
): Promise<PipelineResult<DeliverReport>>
