import {spawn, type ChildProcess} from 'node:child_process'
import type {Socket} from 'node:net'

export interface Finished {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stdoutBytes: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly stdin?: string | Buffer
  readonly timeoutMs?: number
  /** It gets SIGTERM once this resolves. */
  readonly stopWhen?: Promise<unknown>
}

/**
 * Runs a program to its end.
 * @throws what cannot be started, by name; a program that fails is the caller's business
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? 240_000,
    killSignal: 'SIGKILL',
  })
  diesWithUs(child)
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin ?? '')
  void options.stopWhen?.then(() => child.kill('SIGTERM'))
  const output = {stdout: collect(child.stdout), stderr: collect(child.stderr)}
  const [exitCode, signal] = await ended(child)
  const stdoutBytes = output.stdout()
  return {exitCode, signal, stdout: stdoutBytes.toString(), stdoutBytes, stderr: output.stderr().toString()}
}

/** The same for a program that has to succeed: its output is in the error when it does not. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const finished = await run(command, args, options)
  if (finished.exitCode === 0) return finished
  const how = finished.signal ?? `exit code ${finished.exitCode ?? '?'}`
  throw new Error(`${command} ${args.join(' ')}: ${how}\n${finished.stdout}${finished.stderr}`)
}

/** Whether a program of this name is on the PATH. */
export async function isInstalled(command: string): Promise<boolean> {
  const {exitCode} = await run('sh', ['-c', 'command -v "$0"', command])
  return exitCode === 0
}

/** Resolves with exit code and signal once the child is gone and its output is read. */
export function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve([exitCode, signal]))
  })
}

/** Keeps what a program prints; the function answers what came until now. */
export function collect(stream: NodeJS.ReadableStream): () => Buffer {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  return () => Buffer.concat(parts)
}

/**
 * Kills the child when this process is gone, even if it was killed itself: a watcher waits for the end of the
 * pipe whose other end only this process holds.
 */
export function diesWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watcher = spawn('sh', ['-c', 'read -r _; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  if ('unref' in watcher.stdin) (watcher.stdin as Socket).unref()
  child.once('exit', () => watcher.kill('SIGKILL'))
}
