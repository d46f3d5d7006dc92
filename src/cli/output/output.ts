/**
 * Where everything goes. stdout carries results only: with --json one object at the end, with --events one object a
 * line as things happen (with both, the last event carries the object), else nothing. All words go to stderr.
 */
import type {StreamtoolError} from '../../core/errors.js'
import type {Logger} from '../../core/ports/index.js'
import type {InspectReport} from '../../core/inspect-report.js'
import type {DeliverReport, PipelineEvent, RelayReport, Reporter, UploadReport} from '../../core/report.js'
import {errorLines, type ErrorObject, errorObject, finishedEvent, stackLines} from '../errors/present.js'
import {createLogger, type LogLevel} from './logger.js'
import {noProgress, type ProgressDisplay, startPlainProgress} from './progress.js'
import type {Redact} from './redact.js'
import {Screen, type TextStream} from './screen.js'
import type {Summary} from './summary.js'
import {startTerminalProgress} from './terminal-progress.js'

export interface OutputSettings {
  readonly json: boolean
  readonly events: boolean
  readonly progress: 'auto' | 'plain' | 'none'
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
}

export interface OutputStreams {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly now: () => Date
}

export class Output {
  readonly logger: Logger
  readonly reporter: Reporter
  readonly #screen: Screen
  #progress: ProgressDisplay = noProgress
  #finished = false

  constructor(
    /** Null when no command was recognised. */
    private readonly command: string | null,
    private readonly settings: OutputSettings,
    private readonly redact: Redact,
    private readonly streams: OutputStreams,
  ) {
    this.#screen = new Screen(streams.stderr)
    this.logger = createLogger({
      level: settings.logLevel,
      format: settings.logFormat,
      terminal: streams.stderr.isTTY === true,
      now: streams.now,
      redact,
      writeLine: (line) => this.#screen.print(line),
    })
    this.reporter = {
      event: (event) => this.#event(event),
      watch: (progress) => this.#progress.watch(progress),
    }
  }

  /** Shows progress from now on. */
  async begin(title: string): Promise<void> {
    const {progress, logFormat} = this.settings
    if (progress === 'none') return
    const drawable = this.streams.stderr.isTTY === true && process.env['TERM'] !== 'dumb'
    this.#progress =
      progress === 'auto' && drawable && logFormat === 'text'
        ? await startTerminalProgress(this.#screen, title)
        : startPlainProgress(this.logger)
  }

  /** The work is over and this is what came of it; said once, whatever comes later. */
  async finish(
    report: UploadReport | DeliverReport | InspectReport | RelayReport,
    summary: Summary,
    success: boolean,
  ): Promise<void> {
    if (this.#finished) return
    this.#finished = true
    const seen = await this.#progress.finish(summary.headline, success)
    if (!seen) this.logger.info(summary.headline)
    for (const line of summary.details) this.logger.info(line)
    const {json, events} = this.settings
    if (events) this.#event({event: 'finished', ...(json ? {report} : {})})
    else if (json) this.result(report)
  }

  async fail(error: StreamtoolError): Promise<void> {
    const object = errorObject(this.command, error, this.redact)
    await this.#progress.finish('Failed', false)
    this.#explain(object, error)
    if (this.#finished) return
    this.#finished = true
    const {json, events} = this.settings
    if (events) this.#writeResult(finishedEvent(object, json, this.streams.now()))
    else if (json) this.result(object)
  }

  /** One result object on stdout; readable at a terminal, one line elsewhere. */
  result(object: object): void {
    this.#writeResult(object, this.streams.stdout.isTTY === true ? 2 : undefined)
  }

  /** A result that is words, such as `config explain` without --json. */
  resultText(line: string): void {
    this.#printResult(line)
  }

  #explain(object: ErrorObject, thrown: StreamtoolError): void {
    const {message, ...facts} = object.error
    if (this.settings.logFormat === 'json') this.logger.error(message, facts)
    else for (const line of errorLines(object)) this.#screen.print(line)
    for (const line of stackLines(thrown)) this.logger.debug(line)
  }

  #event(event: PipelineEvent): void {
    if (!this.settings.events) return
    const {event: name, ...facts} = event
    const told = Object.entries(facts).map(([fact, value]: [string, unknown]) =>
      (fact === 'reason' || fact === 'message') && typeof value === 'string'
        ? [fact, this.redact(value)]
        : [fact, value],
    )
    this.#writeResult({event: name, ...this.#time(), ...(Object.fromEntries(told) as object)})
  }

  #time() {
    return {time: this.streams.now().toISOString()}
  }

  #writeResult(object: object, indent?: number): void {
    this.#printResult(JSON.stringify(object, null, indent))
  }

  #printResult(line: string): void {
    const {stdout} = this.streams
    if (stdout.isTTY === true) this.#screen.print(line, stdout)
    else stdout.write(`${line}\n`)
  }
}
