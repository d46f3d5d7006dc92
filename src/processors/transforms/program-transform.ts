/**
 * A program that stays, and transforms one record after another: a line on its standard input, a line on its standard
 * output (line-protocol.ts). What it writes to standard error goes to the log. When it ends, the records that it had
 * not answered count as one failed attempt, and the next one starts it again.
 */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process'
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {RecordTransform, Transformed} from '../../core/relay/index.js'
import {parseExec} from '../exec/command.js'
import {LineSplitter} from '../exec/output.js'
import {endGroup, type Guard, startGuard} from '../exec/process-group.js'
import {findProgram} from '../exec/program.js'
import {answerOf, lineOf} from './line-protocol.js'

/** Of an answer; a program that never ends its line must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5000

/** @throws SETTING_INVALID, PLUGIN_UNLOADABLE */
export async function programTransform(command: string, logger: Logger): Promise<RecordTransform> {
  const parsed = parseExec(command, {shell: false})
  const path = await findProgram(parsed, process.env)
  const guard = startGuard(GRACE_MS, (reason) => logger.debug(`There is no guard for the program: ${reason}`))
  const start = () => new RunningProgram(path, parsed.fixedArguments, guard, logger)
  let running: RunningProgram | null = null
  return {
    name: parsed.name,
    transform(record) {
      if (running === null || running.hasEnded) running = start()
      return running.ask(record)
    },
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
  hasEnded = false
  private readonly child: ChildProcessWithoutNullStreams
  /** Answers come in the order of the questions. */
  private readonly waiting: Waiting[] = []
  private pieces: Buffer[] = []
  private lineBytes = 0

  constructor(
    private readonly path: string,
    args: readonly string[],
    private readonly guard: Guard,
    logger: Logger,
  ) {
    this.child = spawn(path, args, {detached: true, stdio: 'pipe'})
    if (this.child.pid !== undefined) guard.watch(this.child.pid)
    const said = new LineSplitter((line) => logger.info(line, {program: path}))
    this.child.stdout.on('data', (data: Buffer) => this.read(data))
    this.child.stderr.on('data', (data: Buffer) => said.push(data))
    // EPIPE; that it has ended is told by its exit.
    this.child.stdin.on('error', () => undefined)
    this.child.once('error', (error) => this.end(error.message))
    this.child.once('close', (code, signal) =>
      this.end(`it ended with ${signal ?? `exit code ${code ?? '?'}`}`),
    )
  }

  ask(record: ConsumedRecord): Promise<Transformed> {
    return new Promise((resolve, reject) => {
      this.waiting.push({record, resolve, reject})
      this.child.stdin.write(lineOf(record))
    })
  }

  async close(): Promise<void> {
    this.child.stdin.end()
    if (this.hasEnded || this.child.pid === undefined) return
    const closed = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    const patience = setTimeout(() => void endGroup(this.child.pid ?? 0, GRACE_MS), GRACE_MS)
    await closed
    clearTimeout(patience)
  }

  private read(data: Buffer): void {
    let rest = data
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      const line = Buffer.concat([...this.pieces, rest.subarray(0, end)]).toString('utf8')
      this.pieces = []
      this.lineBytes = 0
      rest = rest.subarray(end + 1)
      this.answer(line)
    }
    if (rest.length === 0) return
    this.pieces.push(rest)
    this.lineBytes += rest.length
    if (this.lineBytes > MAX_LINE_BYTES) this.kill(`it answered with more than ${MAX_LINE_BYTES} bytes`)
  }

  private answer(line: string): void {
    const first = this.waiting.shift()
    if (first === undefined) {
      // From here on nobody could tell which answer belongs to which record.
      this.kill('it answered without being asked')
      return
    }
    try {
      first.resolve(answerOf(line, first.record))
    } catch (thrown) {
      first.reject(thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
  }

  private kill(reason: string): void {
    this.end(reason)
    this.pieces = []
    if (this.child.pid !== undefined) void endGroup(this.child.pid, GRACE_MS)
  }

  private end(reason: string): void {
    this.hasEnded = true
    if (this.child.pid !== undefined) this.guard.forget(this.child.pid)
    for (const {reject} of this.waiting.splice(0))
      reject(
        new StreamtoolError('PROCESSOR_CRASHED', `The program ${this.path} gave no answer: ${reason}.`, {
          facts: {program: this.path},
        }),
      )
  }
}

const LINE_FEED = 0x0a
