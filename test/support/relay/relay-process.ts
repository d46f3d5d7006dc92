/** One `passthrough` as a process of its own, to be killed. */
import {type ChildProcess, spawn} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {eventually} from '../eventually.js'
import {collect, diesWithUs, ended} from '../processes.js'

const BIN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
const PATIENCE_MS = 60_000

export class RelayProcess {
  readonly gone: Promise<[number | null, NodeJS.Signals | null]>
  private readonly child: ChildProcess
  private readonly stderr: () => Buffer

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    const all = [BIN, 'passthrough', ...args, '--progress', 'none']
    this.child = spawn(process.execPath, all, {env})
    diesWithUs(this.child)
    this.child.stdout!.resume()
    this.stderr = collect(this.child.stderr!)
    this.gone = ended(this.child)
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** What it said on stderr. */
  get words(): string {
    return this.stderr().toString()
  }

  /** @returns where it serves */
  async untilServing(): Promise<string> {
    const address = () => /Probes and metrics: (http:\S+)/.exec(this.words)?.[1]
    await this.until('it serves', () => address() !== undefined)
    return address()!.replace('0.0.0.0', '127.0.0.1')
  }

  /** @throws with what it said when it ends before */
  async until(what: string, condition: () => boolean | Promise<boolean>, withinMs = PATIENCE_MS) {
    const look = async () => {
      if (await condition()) return true
      if (!this.isRunning) throw new Error(`passthrough ended before ${what}:\n${this.words}`)
      return false
    }
    await eventually(what, look, withinMs, 20)
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.gone
  }

  /** A graceful stop. @throws when it does not exit with 0 */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const [exitCode, signal] = await this.gone
    if (exitCode !== 0) throw new Error(`passthrough: ${signal ?? exitCode ?? ''}\n${this.words}`)
  }
}
