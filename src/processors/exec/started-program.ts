/** A program from its start until nothing of it is left: it is a process group of its own, and ends with all of it. */
import {spawn, type ChildProcess} from 'node:child_process'
import type {Writable} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import type {Guard} from '../group-guard.js'
import {endGroup} from '../process-group.js'

/** What is left in its pipes when it has ended comes at once, unless a process that it started holds them open. */
const LAST_WORDS_MS = 500

export interface ProgramStart {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly onStdout: (data: Buffer) => void
  readonly onStderr: (data: Buffer) => void
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  readonly guard: Guard
}

export interface ProgramEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

export interface StartedProgram {
  /** Null when its standard input is empty. A reader that is gone makes no error here. */
  readonly stdin: Writable | null
  /** It has exited itself; what it started may still run. @throws what starting it throws */
  readonly exited: Promise<ProgramEnd>
  /** The same, when its last words are heard and whatever it left running has ended. */
  readonly gone: Promise<ProgramEnd>
  /** Ends it and all that it started. */
  stop(): void
}

export function startProgram(start: ProgramStart, stdin: 'pipe' | 'ignore'): StartedProgram {
  const child = spawn(start.program, start.args, {
    detached: true,
    stdio: [stdin, 'pipe', 'pipe'],
    env: start.environment,
  })
  child.stdout?.on('data', start.onStdout)
  child.stderr?.on('data', start.onStderr)
  // EPIPE, and what else a reader that is gone brings about.
  child.stdin?.on('error', () => undefined)
  const leader = child.pid
  if (leader !== undefined) start.guard.watch(leader)
  const exited = exitOf(child)
  let isGone = leader === undefined
  const gone = goneOf(child, exited, start).finally(() => (isGone = true))
  // Whoever does not wait for it hears of it by the other.
  for (const each of [exited, gone]) each.catch(() => undefined)
  return {
    stdin: child.stdin,
    exited,
    gone,
    stop() {
      if (leader !== undefined && !isGone) void endGroup(leader, start.graceMs)
    },
  }
}

async function goneOf(
  child: ChildProcess,
  exited: Promise<ProgramEnd>,
  {guard, graceMs}: ProgramStart,
): Promise<ProgramEnd> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = await exited
  await Promise.race([closed, sleep(LAST_WORDS_MS)])
  if (child.pid !== undefined) await endGroup(child.pid, graceMs)
  child.stdin?.destroy()
  await Promise.race([closed, sleep(LAST_WORDS_MS)])
  for (const stream of [child.stdout, child.stderr]) stream?.destroy()
  if (child.pid !== undefined) guard.forget(child.pid)
  return end
}

function exitOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => resolve({exitCode, signal}))
  })
}
