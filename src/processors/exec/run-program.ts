/** One program on one file, from its start until nothing of it is left. */
import {spawn, type ChildProcess} from 'node:child_process'
import type {Writable} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import {endGroup, type Guard} from './process-group.js'

/** What is left in its pipes when it has ended comes at once, unless a process that it started holds them open. */
const LAST_WORDS_MS = 500

export interface ProgramRun {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** For its standard input, which is empty without. */
  readonly input: AsyncIterable<Buffer> | null
  readonly onStdout: (data: Buffer) => void
  readonly onStderr: (data: Buffer) => void
  readonly graceMs: number
  readonly guard: Guard
}

export interface ProgramEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * @param signal ends it and all that it started
 * @throws what starting it throws; what reading the input throws; the signal's reason. The program has ended by then.
 */
export async function runProgram(run: ProgramRun, signal: AbortSignal): Promise<ProgramEnd> {
  signal.throwIfAborted()
  const child = spawn(run.program, run.args, {
    detached: true,
    stdio: [run.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: run.environment,
  })
  child.stdout?.on('data', run.onStdout)
  child.stderr?.on('data', run.onStderr)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ended = endOf(child)
  const leader = child.pid
  if (leader === undefined) return ended

  run.guard.watch(leader)
  let failure: {readonly reason: unknown} | null = null
  const stop = (reason: unknown) => {
    failure ??= {reason}
    void endGroup(leader, run.graceMs)
  }
  const onAbort = () => stop(signal.reason)
  signal.addEventListener('abort', onAbort, {once: true})
  // While a write is under way the program may be stopped.
  const fed = run.input && child.stdin ? feed(run.input, child.stdin).catch(stop) : Promise.resolve()
  try {
    const end = await ended
    await Promise.race([closed, sleep(LAST_WORDS_MS)])
    await endGroup(leader, run.graceMs)
    child.stdin?.destroy()
    await fed
    await Promise.race([closed, sleep(LAST_WORDS_MS)])
    throwIfStopped(failure)
    return end
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    run.guard.forget(leader)
  }
}

function endOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => resolve({exitCode, signal}))
  })
}

function throwIfStopped(failure: {readonly reason: unknown} | null): void {
  if (failure) throw failure.reason
}

/** A program that does not read all of it may have seen enough. */
async function feed(input: AsyncIterable<Buffer>, stdin: Writable): Promise<void> {
  let goOn = (): void => undefined
  // EPIPE, and what else a reader that is gone brings about.
  stdin.on('error', () => undefined)
  stdin.on('drain', () => goOn())
  stdin.on('close', () => goOn())
  for await (const piece of input) {
    if (!stdin.writable) return
    if (stdin.write(piece)) continue
    await new Promise<void>((resolve) => {
      goOn = resolve
      if (stdin.destroyed) resolve()
    })
  }
  stdin.end()
}
