/**
 * Any program as a processor: it is started once for each attempt on a file, its exit code is the verdict, what it
 * prints is the result.
 *
 * The command line becomes an argument vector by our own rules (words.ts), without a shell. The program gets the file
 * as a path, or on its standard input, and its facts as arguments and variables. It runs in the directory that
 * streamtool was started in, because that is where the user's relative paths begin. It is a process group of its own,
 * and its end is the end of the group: whatever it left running is ended too, and on a time-out, when the run ends,
 * and when streamtool dies in whatever way, everything is (../group-guard.ts).
 */
import {setMaxListeners} from 'node:events'
import {isAbsolute} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {Logger, StagedFile} from '../../core/ports/index.js'
import type {FileInfo} from '../contract.js'
import {type Guard, startGuard} from '../group-guard.js'
import type {ProcessorHost} from '../host.js'
import type {ResultSink} from '../results.js'
import type {ExecCommand} from './command.js'
import {factsOf, inheritedEnvironment, variablesOf} from './facts.js'
import {BoundedBytes, BoundedLines, LineSplitter} from './output.js'
import {findProgram} from './program.js'
import {runProgram} from './run-program.js'
import {failureOf, notStarted, resultTooLarge} from './verdicts.js'

export {parseExec, type ExecCommand} from './command.js'

const GRACE_MS = 3000
/** Below what a topic takes by default, 1 MiB with its record around it. */
const RESULT_BYTES = 1024 * 1000
/** Of what it prints for one file: lines that are logged, and that are kept for the report of a failure. */
const LOGGED_LINES = 200
const KEPT_LINES = 3

export interface ExecHostOptions {
  readonly command: ExecCommand
  /** Exists, and is writable. Absolute. */
  readonly outputDir: string
  /** For what it prints on its standard output, its result; null: that is logged. */
  readonly results: Pick<ResultSink, 'returned'> | null
  /** The environment of streamtool. */
  readonly environment: NodeJS.ProcessEnv
  readonly logger: Logger
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs?: number
  readonly resultBytes?: number
}

export function createExecHost(options: ExecHostOptions): ProcessorHost {
  const {command, logger, graceMs = GRACE_MS} = options
  const environment = inheritedEnvironment(options.environment)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const running = new Set<Promise<unknown>>()
  let started: {readonly program: string; readonly guard: Guard} | null = null

  async function attempt(file: FileInfo, content: StagedFile, signal: AbortSignal): Promise<unknown> {
    if (!started) throw new Error('the host has not been started')
    const facts = factsOf(file, pathOf(content, command, file), options.outputDir)
    const output = outputOf(file, options)
    const end = await runProgram(
      {
        ...started,
        args: command.argumentsFor(facts),
        environment: {...environment, ...variablesOf(facts, file.metadata)},
        input: command.takesPath ? null : content.read(signal),
        onStdout: output.stdout,
        onStderr: output.stderr,
        graceMs,
      },
      signal,
    ).catch((thrown: unknown) => {
      throw signal.aborted || thrown instanceof StreamtoolError ? thrown : notStarted(command, file, thrown)
    })
    const lastLines = output.end()
    if (end.exitCode !== 0) throw failureOf(command, file, end, lastLines)
    const result = output.result()
    await options.results?.returned(result, file, signal)
    return result
  }

  return {
    name: command.name,
    async start() {
      started = {
        program: await findProgram(command, environment),
        guard: startGuard(graceMs, (reason) =>
          logger.warn('Programs will go on running should streamtool be killed: their guard is gone', {
            reason,
          }),
        ),
      }
    },
    async process(file, content, signal) {
      const attempted = withEither(signal, closing.signal, (either) => attempt(file, content, either))
      running.add(attempted)
      try {
        return await attempted
      } finally {
        running.delete(attempted)
      }
    },
    // A program has no other entry than the one.
    failed: async () => undefined,
    mismatched: async () => undefined,
    async close() {
      closing.abort(new StreamtoolError('INTERRUPTED', 'The run ended while the file was being processed.'))
      await Promise.allSettled(running)
      started?.guard.close()
      started = null
    },
  }
}

/** Calls with a signal that aborts with the first of both, and is forgotten afterwards. */
async function withEither<T>(
  one: AbortSignal,
  other: AbortSignal,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController()
  const forward = () => either.abort(one.aborted ? one.reason : other.reason)
  if (one.aborted || other.aborted) forward()
  one.addEventListener('abort', forward)
  other.addEventListener('abort', forward)
  try {
    return await work(either.signal)
  } finally {
    one.removeEventListener('abort', forward)
    other.removeEventListener('abort', forward)
  }
}

/** Absolute, so that no name of a file begins it: it cannot be taken for an option. */
function pathOf({localPath}: StagedFile, command: ExecCommand, {path}: FileInfo): string {
  if (localPath !== null && isAbsolute(localPath)) return localPath
  if (localPath === null && !command.takesPath) return ''
  throw new StreamtoolError('BUG', `The content of ${path} is in no file, and the program takes one.`)
}

function outputOf(file: FileInfo, {command, results, logger, resultBytes = RESULT_BYTES}: ExecHostOptions) {
  const facts = {processor: command.name, file: file.path, attempt: file.attempt}
  const said = new BoundedLines({lines: LOGGED_LINES, kept: KEPT_LINES}, (line) => logger.info(line, facts))
  const printed = new BoundedLines({lines: LOGGED_LINES, kept: 0}, (line) => logger.debug(line, facts))
  const result = new BoundedBytes(resultBytes)
  const stderrLines = new LineSplitter((line) => said.add(line))
  const stdoutLines = new LineSplitter((line) => printed.add(line))
  return {
    stderr: (data: Buffer) => stderrLines.push(data),
    stdout: (data: Buffer) => (results ? result.add(data) : stdoutLines.push(data)),
    /** @returns the last lines of its standard error */
    end(): readonly string[] {
      for (const lines of [stderrLines, stdoutLines]) lines.end()
      const leftOut = said.leftOut + printed.leftOut
      if (leftOut > 0) logger.info(`… and ${leftOut} more lines, which are left out`, facts)
      return said.lastLines
    },
    /** As it was printed, without the line end; undefined when that is nothing. */
    result(): Buffer | undefined {
      if (result.isOver) throw resultTooLarge(file, resultBytes)
      const text = trimmed(result.content)
      return text.length > 0 ? text : undefined
    },
  }
}

function trimmed(content: Buffer): Buffer {
  let end = content.length
  while (end > 0 && (content[end - 1] === 0x0a || content[end - 1] === 0x0d)) end -= 1
  return content.subarray(0, end)
}
