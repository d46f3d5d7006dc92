/** `reconstruct`, killed again and again without warning, and started again. */
import {spawn} from 'node:child_process'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {streamtoolJson} from './cli.js'
import type {DeliverReport} from '../../src/core/report.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

export interface KilledRuns {
  /** How often each path was told to be delivered, over all runs. */
  readonly delivered: Map<string, number>
  /** Runs that had joined the group when they were killed. */
  readonly working: number
  readonly last: DeliverReport
}

/** Kills it `kills` times, each at another moment of its work, then lets one run end by itself. */
export async function reconstructUnderFire(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  kills: number,
): Promise<KilledRuns> {
  const delivered = new Map<string, number>()
  let working = 0
  for (let kill = 0; kill < kills; kill++) {
    // Some die while they join, most in the middle of the work.
    if (await runAndKill(args, env, (kill * 37) % 400, delivered)) working += 1
  }
  const last = await streamtoolJson<DeliverReport>(['reconstruct', ...args, '--once'], {env})
  return {delivered, working, last}
}

/** @returns whether it had been given its partitions when it died */
function runAndKill(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  afterAssignmentMs: number,
  delivered: Map<string, number>,
): Promise<boolean> {
  const child = spawn(process.execPath, [BIN, 'reconstruct', ...args, '--events', '--progress', 'none'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let assigned = false
  // One that never gets that far is killed all the same.
  let timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  createInterface({input: child.stdout}).on('line', (line) => {
    const {event, path} = parsed(line)
    if (event === 'file.delivered' && path !== undefined) delivered.set(path, (delivered.get(path) ?? 0) + 1)
    if (event !== 'assignment' || assigned) return
    assigned = true
    clearTimeout(timer)
    timer = setTimeout(() => child.kill('SIGKILL'), afterAssignmentMs)
  })
  return new Promise((resolve) => {
    child.once('close', () => {
      clearTimeout(timer)
      resolve(assigned)
    })
  })
}

/** The last line of a process that was killed may be cut. */
function parsed(line: string): {event?: string; path?: string} {
  try {
    return JSON.parse(line) as {event?: string; path?: string}
  } catch {
    return {}
  }
}
