import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import path from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {onTestFinished} from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface TestChild {
  readonly process: ChildProcess
  /** What it has printed so far, by line. */
  readonly lines: readonly string[]
  /** Resolves when it has printed so many lines; rejects when it ends before. */
  printed(count: number): Promise<void>
  kill(signal?: NodeJS.Signals): Promise<void>
  ended: Promise<number | null>
}

/** Runs a TypeScript file of the tests in a Node of its own, which does not outlive the test. */
export function runTestChild(
  file: string,
  args: readonly string[],
  prefix: readonly string[] = [],
): TestChild {
  const node = [process.execPath, '--import', 'tsx', path.resolve(ROOT, file), ...args]
  const [command, ...rest] = [...prefix, ...node]
  const child = spawn(command!, rest, {cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit']})
  const lines: string[] = []
  const ended = once(child, 'close').then(() => child.exitCode)
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await ended
  }
  onTestFinished(() => kill())
  const reader = createInterface({input: child.stdout})
  reader.on('line', (line) => lines.push(line))
  return {
    process: child,
    lines,
    ended,
    kill,
    async printed(count) {
      const closed = once(reader, 'close').then(() => 'closed')
      while (lines.length < count) {
        if ((await Promise.race([once(reader, 'line'), closed])) !== 'closed') continue
        if (lines.length < count) throw new Error(`The child ended after ${lines.length} of ${count} lines.`)
      }
    },
  }
}
