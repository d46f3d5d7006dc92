/**
 * A program that transforms one record after another: a line on its standard input, a line on its standard output
 * (line-protocol.ts). It is asked again only when it has answered, so that an answer can belong to one record only.
 *
 *     no line                    it is waited for, which is said; the attempt may have a time limit
 *     no answer, or lines more   the attempt fails, none of it is used, and the program is started again
 *     a line when nobody asked   the answer before may have been only a part: PROGRAM_OUT_OF_STEP ends the run
 *     another record's answer    the same; an answer that tells topic, partition or offset is held against the record
 *     it ends                    the attempt fails, what it left running is ended, and it is started again
 */
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {Transformed} from '../../core/relay/index.js'
import {LineSplitter} from '../exec/output.js'
import {
  type ProgramEnd,
  type ProgramStart,
  startProgram,
  type StartedProgram,
} from '../exec/started-program.js'
import {answerOf, lineOf} from './line-protocol.js'

/** Of an answer; a program that never ends its line must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
/** Then whoever wrote a program that buffers its lines is told. */
const LONG_WITHOUT_ANSWER_MS = 30_000
const LINE_FEED = 0x0a

export interface RunningProgramOptions extends Omit<ProgramStart, 'onStdout' | 'onStderr'> {
  readonly logger: Logger
  /** It is out of step, and answers that were used may have been wrong. */
  readonly onOutOfStep: (error: StreamtoolError) => void
}

interface Asked {
  readonly record: ConsumedRecord
  readonly resolve: (answer: Transformed) => void
  readonly reject: (error: Error) => void
  /** Its line has come, and it is looked whether more comes with it. */
  isAnswered: boolean
}

export class RunningProgram {
  /** It takes no record any more. */
  isEnding = false
  /** Nothing of it is left. Never rejects. */
  readonly gone: Promise<void>
  private readonly program: StartedProgram
  private asked: Asked | null = null
  private lastAnswered: ConsumedRecord | null = null
  private pieces: Buffer[] = []
  private lineBytes = 0
  /** What it says is of no interest any more. */
  private isRefused = false

  constructor(private readonly options: RunningProgramOptions) {
    const {program, logger} = options
    const said = new LineSplitter((line) => logger.info(line, {program}))
    this.program = startProgram(
      {...options, onStdout: (data) => this.read(data), onStderr: (data) => said.push(data)},
      'pipe',
    )
    const ending = () => (this.isEnding = true)
    this.program.exited.then(ending, ending)
    this.gone = this.program.gone
      .then(endText, (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)))
      .then((reason) => {
        said.end()
        this.fail(this.crashed(`gave no answer: ${reason}`))
      })
  }

  /** @throws PROCESSOR_CRASHED, PROCESSING_FAILED, PROGRAM_OUT_OF_STEP; or the signal's reason, and then it is ended */
  async ask(record: ConsumedRecord, signal: AbortSignal): Promise<Transformed> {
    const {logger, program} = this.options
    const patience = setTimeout(() => {
      const seconds = LONG_WITHOUT_ANSWER_MS / 1000
      logger.warn(
        `The program has given no answer to ${nameOf(record)} for ${seconds} s. It must write one line for each record, and must not buffer it (python3 -u, jq --unbuffered)`,
        {program},
      )
    }, LONG_WITHOUT_ANSWER_MS)
    const abandon = () => this.end(signal.reason as Error)
    try {
      return await new Promise<Transformed>((resolve, reject) => {
        this.asked = {record, resolve, reject, isAnswered: false}
        signal.addEventListener('abort', abandon, {once: true})
        if (signal.aborted) abandon()
        else this.program.stdin?.write(lineOf(record))
      })
    } finally {
      clearTimeout(patience)
      signal.removeEventListener('abort', abandon)
    }
  }

  async close(): Promise<void> {
    this.isEnding = true
    this.program.stdin?.end()
    const patience = setTimeout(() => this.program.stop(), this.options.graceMs)
    await this.gone
    clearTimeout(patience)
  }

  private read(data: Buffer): void {
    const {asked} = this
    if (this.isRefused) return
    if (asked === null) this.unasked()
    else if (asked.isAnswered) this.tooMuch(asked)
    else this.readAnswer(asked, data)
  }

  private readAnswer(asked: Asked, data: Buffer): void {
    const end = data.indexOf(LINE_FEED)
    const ofLine = end < 0 ? data : data.subarray(0, end)
    this.pieces.push(ofLine)
    this.lineBytes += ofLine.length
    if (this.lineBytes > MAX_LINE_BYTES)
      this.end(this.failed(asked.record, `answered with more than ${MAX_LINE_BYTES} bytes`))
    else if (end >= 0 && end + 1 < data.length) this.tooMuch(asked)
    else if (end >= 0) this.answer(asked)
  }

  private answer(asked: Asked): void {
    const line = Buffer.concat(this.pieces).toString('utf8')
    this.pieces = []
    this.lineBytes = 0
    let answer: ReturnType<typeof answerOf>
    try {
      answer = answerOf(line, asked.record)
    } catch (thrown) {
      const error = thrown as Error
      if (error instanceof StreamtoolError && error.endsRun) this.options.onOutOfStep(error)
      // What else it has to say would be taken for the next answer.
      this.end(error)
      return
    }
    asked.isAnswered = true
    // What it has written at the same time is there by then.
    setImmediate(() => {
      if (this.asked !== asked) return
      this.asked = null
      this.lastAnswered = asked.record
      if ('failure' in answer) asked.reject(answer.failure)
      else asked.resolve(answer.transformed)
    })
  }

  private tooMuch({record}: Asked): void {
    this.end(this.failed(record, 'wrote more than one line; several records are one line, a list'))
  }

  private unasked(): void {
    const {program, logger, onOutOfStep} = this.options
    const {lastAnswered, isEnding} = this
    this.end(this.crashed('wrote a line that nobody had asked for'))
    // Words at its end do no harm.
    if (isEnding || lastAnswered === null) {
      logger.warn('The program wrote a line that nobody had asked for.', {program})
      return
    }
    onOutOfStep(
      new StreamtoolError(
        'PROGRAM_OUT_OF_STEP',
        `The program wrote a further line after its answer to ${nameOf(lastAnswered)}, when nobody had asked: which answer belongs to which record cannot be told any more.`,
        {
          facts: {program},
          suggestions: [
            'It must write exactly one line for each record: several records are a list in one line, none is null.',
            'Other words belong on its standard error.',
          ],
        },
      ),
    )
  }

  /** It is of no use any more. */
  private end(error: Error): void {
    this.isEnding = true
    this.isRefused = true
    this.pieces = []
    this.fail(error)
    this.program.stop()
  }

  private fail(error: Error): void {
    const {asked} = this
    this.asked = null
    asked?.reject(error)
  }

  private crashed(what: string): StreamtoolError {
    const {program} = this.options
    return new StreamtoolError('PROCESSOR_CRASHED', `The program ${program} ${what}.`, {facts: {program}})
  }

  private failed(record: ConsumedRecord, what: string): StreamtoolError {
    const {program} = this.options
    return new StreamtoolError('PROCESSING_FAILED', `For ${nameOf(record)} the program ${what}.`, {
      facts: {program},
    })
  }
}

const nameOf = ({topic, partition, offset}: ConsumedRecord) => `${topic}-${partition}@${offset}`

const endText = ({exitCode, signal}: ProgramEnd) =>
  `it ended with ${signal ?? `exit code ${exitCode ?? '?'}`}`
