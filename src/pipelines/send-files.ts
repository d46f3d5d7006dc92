/** Placeholder of the signature that the command line is built against. */
import type {Clock, FileSource, Logger, RecordProducer, TopicAdmin} from '../core/ports.js'
import type {PipelineResult, Reporter, UploadReport} from './report.js'

export interface SendFilesOptions {
  readonly command: string
  readonly topic: string
  readonly chunkBytes: number
  readonly wireFormat: 'openmsistream' | 'openmsistream-9'
  /** Bytes of chunks read but not acknowledged yet, over all files. */
  readonly inFlightBytes: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface SendFilesPorts {
  readonly source: FileSource
  readonly admin: TopicAdmin
  readonly producer: RecordProducer
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: Reporter
}

export declare function sendFiles(
  options: SendFilesOptions,
  ports: SendFilesPorts,
  signal: AbortSignal,
): Promise<PipelineResult<UploadReport>>
