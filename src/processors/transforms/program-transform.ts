/**
 * A program that stays, and transforms one record after another: a line on its standard input, a line on its standard
 * output (line-protocol.ts). What it writes to standard error goes to the log. When it ends, the records that it had
 * not answered count as one failed attempt, whatever it left running is ended, and the next record starts it again.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {RecordTransform, Transformed} from '../../core/relay/index.js'
import {parseExec} from '../exec/command.js'
import {inheritedEnvironment} from '../exec/facts.js'
import {LineSplitter} from '../exec/output.js'
import {findProgram} from '../exec/program.js'
import {
  type ProgramEnd,
  type ProgramStart,
  startProgram,
  type StartedProgram,
} from '../exec/started-program.js'
import {startGuard} from '../group-guard.js'
import {answerOf, lineOf} from './line-protocol.js'

/** Of an answer; a program that never ends its line must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5000

/** Settings of a relay, and passwords among them, come by these too. */
const SPRING_SETTINGS = ['SPRING_', 'SPRING.']

export interface ProgramSurroundings {
  readonly logger: Logger
  /** The environment of streamtool; the program gets it without settings and secrets. */
  readonly environment: NodeJS.ProcessEnv
}

/** @throws SETTING_INVALID, PLUGIN_UNLOADABLE */
export async function programTransform(
  command: string,
  {logger, ...surroundings}: ProgramSurroundings,
): Promise<RecordTransform> {
  const parsed = parseExec(command, {shell: false})
  const environment = inheritedEnvironment(surroundings.environment, SPRING_SETTINGS)
  const program = await findProgram(parsed, environment)
  const guard = startGuard(GRACE_MS, (reason) => logger.debug(`There is no guard for the program: ${reason}`))
  const start = {program, args: parsed.fixedArguments, environment, guard, graceMs: GRACE_MS}
  let running: RunningProgram | null = null
  const ask = (record: ConsumedRecord) => {
    if (running === null || running.isEnding) running = new RunningProgram(start, logger)
    return running.ask(record)
  }
  return {
    name: parsed.name,
    // Beside what the last one left running a new one might find its files locked.
    transform: (record) => (running?.isEnding === true ? running.gone.then(() => ask(record)) : ask(record)),
    async close() {
      await running?.close()
      guard.close()
    },
  }
}

interface Waiting {
  readonly record: ConsumedRecord
  readonly resolve: (answer: Transformed) => void
  readonly reject: (error: Error) => void
}

class RunningProgram {
  /** It takes no record any more. */
  isEnding = false
  /** Nothing of it is left. Never rejects. */
  readonly gone: Promise<void>
  private readonly program: StartedProgram
  /** Answers come in the order of the questions. */
  private readonly waiting: Waiting[] = []
  private pieces: Buffer[] = []
  private lineBytes = 0
  /** What it says is no answer any more. */
  private isRefused = false

  constructor(
    private readonly start: Omit<ProgramStart, 'onStdout' | 'onStderr'>,
    private readonly logger: Logger,
  ) {
    const said = new LineSplitter((line) => logger.info(line, {program: start.program}))
    this.program = startProgram(
      {...start, onStdout: (data) => this.read(data), onStderr: (data) => said.push(data)},
      'pipe',
    )
    const ending = () => (this.isEnding = true)
    this.program.exited.then(ending, ending)
    this.gone = this.program.gone
      .then(endText, (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)))
      .then((reason) => {
        said.end()
        this.giveUp(reason)
      })
  }

  ask(record: ConsumedRecord): Promise<Transformed> {
    return new Promise((resolve, reject) => {
      this.waiting.push({record, resolve, reject})
      this.program.stdin?.write(lineOf(record))
    })
  }

  async close(): Promise<void> {
    this.program.stdin?.end()
    const patience = setTimeout(() => this.program.stop(), this.start.graceMs)
    await this.gone
    clearTimeout(patience)
  }

  private read(data: Buffer): void {
    let rest = data
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      if (this.isRefused) return
      const line = Buffer.concat([...this.pieces, rest.subarray(0, end)]).toString('utf8')
      this.pieces = []
      this.lineBytes = 0
      rest = rest.subarray(end + 1)
      this.answer(line)
    }
    if (rest.length === 0 || this.isRefused) return
    this.pieces.push(rest)
    this.lineBytes += rest.length
    if (this.lineBytes > MAX_LINE_BYTES) this.refuse(`it answered with more than ${MAX_LINE_BYTES} bytes`)
  }

  private answer(line: string): void {
    const first = this.waiting.shift()
    if (first === undefined) {
      // From here on nobody could tell which answer belongs to which record. No attempt fails by it: so it is told here.
      this.refuse('it answered without being asked')
      this.logger.warn(
        'The program wrote more lines than it was given records, and is started again. It must write one line for each: other records may have got wrong answers',
        {program: this.start.program},
      )
      return
    }
    try {
      first.resolve(answerOf(line, first.record))
    } catch (thrown) {
      first.reject(thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
  }

  private refuse(reason: string): void {
    this.isRefused = true
    this.isEnding = true
    this.pieces = []
    this.giveUp(reason)
    this.program.stop()
  }

  private giveUp(reason: string): void {
    const {program} = this.start
    for (const {reject} of this.waiting.splice(0))
      reject(
        new StreamtoolError('PROCESSOR_CRASHED', `The program ${program} gave no answer: ${reason}.`, {
          facts: {program},
        }),
      )
  }
}

const endText = ({exitCode, signal}: ProgramEnd) =>
  `it ended with ${signal ?? `exit code ${exitCode ?? '?'}`}`

const LINE_FEED = 0x0a
