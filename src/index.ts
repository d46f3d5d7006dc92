/** What a program that runs streamtool can import: its error family, and the shapes of what it prints. */
export {ERROR_KINDS, type ErrorCode, EXIT_PRECEDENCE, ExitCode, StreamtoolError} from './core/errors.js'
export type {DeliverReport, Outcome, PipelineEvent, Problem, UploadReport} from './core/report.js'
