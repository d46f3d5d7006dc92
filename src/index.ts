/** What plugins and programs can import: processors, the error family, and the shapes of what is printed. */
export {ERROR_KINDS, type ErrorCode, EXIT_PRECEDENCE, ExitCode, StreamtoolError} from './core/errors.js'
export type {DeliverReport, Outcome, PipelineEvent, Problem, UploadReport} from './core/report.js'
export {
  defineProcessor,
  type FileInfo,
  type FlagDefinition,
  type FlagDefinitions,
  type OptionsOf,
  type ProcessedFile,
  type Processor,
  type ProcessorContext,
  type ProcessorLog,
  type ResultRecord,
  type RunContext,
  type TransformContext,
  type TransformedRecord,
  type TransformRecord,
} from './processors/contract.js'
export {runProcessor} from './processors/run.js'
