import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {collect, diesWithUs, ended} from '../test/support/processes.js'
import {meter, type Servers, type Usage} from './usage.js'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

export interface Ended {
  readonly usage: Usage
  readonly stdout: string
}

/** A program that works until it is told to quit. */
export interface Working {
  /** What it printed until now, on stdout and stderr. */
  output(): string
  hasEnded(): boolean
  /** What it used until now. */
  usage(): Usage
  /** Writes to its stdin and waits for its end. */
  quit(word: string): Promise<void>
  /** Ends it at once. */
  kill(): Promise<void>
}

/**
 * Runs a program to its end and tells what it used.
 * @throws when it fails, with what it printed
 */
export async function measure(command: Command, servers: Servers): Promise<Ended> {
  const {child, gauge, stdout, stderr} = start(command, servers)
  const gone = ended(child)
  child.stdin.end()
  await once(child, 'exit')
  const usage = gauge.read()
  gauge.stop()
  const [exitCode] = await gone
  if (exitCode !== 0) throw new Error(describeFailure(command, exitCode, stdout() + stderr()))
  return {usage, stdout: stdout()}
}

export function startMeasured(command: Command, servers: Servers): Working {
  const {child, gauge, stdout, stderr} = start(command, servers)
  const gone = ended(child)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const output = () => stdout() + stderr()
  return {
    output,
    hasEnded,
    usage: () => gauge.read(),
    async quit(word) {
      gauge.stop()
      if (!hasEnded()) child.stdin.end(word)
      const [exitCode] = await gone
      if (exitCode !== 0) throw new Error(describeFailure(command, exitCode, output()))
    },
    async kill() {
      gauge.stop()
      child.kill('SIGKILL')
      await gone
    },
  }
}

function start({program, args, cwd, env = process.env}: Command, servers: Servers) {
  const child = spawn(program, args, {cwd, env})
  if (child.pid === undefined) throw new Error(`${program} cannot be started`)
  const gauge = meter(child.pid, servers)
  diesWithUs(child)
  child.stdin.on('error', () => undefined)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  return {child, gauge, stdout: () => stdout().toString(), stderr: () => stderr().toString()}
}

function describeFailure({program, args}: Command, exitCode: number | null, output: string): string {
  return `${program} ${args.join(' ')}: ${exitCode === null ? 'killed' : `exit code ${exitCode}`}\n${output}`
}
