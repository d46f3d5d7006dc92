/**
 * A lock that a process holds until it ends, however it ends, without help of the kernel (Node has no flock, and
 * file systems shared between hosts or containers often have none either).
 *
 *     <name>.<turn>.lock      who holds it, as JSON; the highest turn counts
 *
 * A lock whose holder is dead, or has released it, is taken by creating the next turn, complete with its content
 * and never over an existing file, so that of several that try one wins. Taking it never removes the file that
 * says so: whoever acted on an old view finds a higher turn than its own, and steps back. (Unlinking a dead
 * holder's lock file and creating it anew would let two processes both believe they did that.)
 *
 * Within one host and container the holder's life is looked up. Elsewhere it is told by its heartbeat: the lock
 * file is rewritten every 10 s, and one not rewritten for 60 s, by the file system's own clock, is dead. So a
 * process that was suspended for a minute can lose the lock to another host: `lost` tells it.
 */
import {randomUUID} from 'node:crypto'
import {mkdir, open, readdir, stat, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {livenessOf, parseIdentity, thisProcess} from './process-identity.js'
import {errno, naming} from './storage-error.js'
import {createWhole, readIfThere, replaceWhole, unlinkIfThere} from './whole-file.js'

const HEARTBEAT_MS = 10_000
const STALE_MS = 60_000
const RELEASED = '{"released":true}\n'
const LOCK_FILE = /^(.+)\.(\d{1,15})\.lock$/

export interface ProcessLock {
  /** Aborted, with STORAGE_FAILED, when somebody else holds the lock now. */
  readonly lost: AbortSignal
  release(): Promise<void>
  /** Holds it no longer, and touches nothing: somebody removed what it stood for. */
  abandon(): void
}

/**
 * @param name may hold what a file name may hold
 * @returns null while another live process, or another holder in this one, has it
 * @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function tryLock(directory: string, name: string): Promise<ProcessLock | null> {
  return naming('lock', path.join(directory, name), async () => {
    await mkdir(directory, {recursive: true, mode: 0o700})
    for (;;) {
      const turns = await turnsOf(directory, name)
      const last = turns.at(-1) ?? 0
      if (last > 0 && (await isHeld(directory, fileOf(name, last)))) return null
      const mine = last + 1
      if (!(await createWhole(path.join(directory, fileOf(name, mine)), identityText()))) continue
      const after = await turnsOf(directory, name)
      if (after.at(-1) !== mine) {
        await unlinkIfThere(path.join(directory, fileOf(name, mine)))
        continue
      }
      for (const turn of after) {
        if (turn < mine) await unlinkIfThere(path.join(directory, fileOf(name, turn)))
      }
      return hold(directory, name, mine)
    }
  })
}

function hold(directory: string, name: string, turn: number): ProcessLock {
  const file = path.join(directory, fileOf(name, turn))
  const lost = new AbortController()
  let beating: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    beating = beat(file)
      .then(async (there) => {
        // Fails when the directory is gone too: storage that is away for a while takes no lock from anybody.
        const last = (await turnsOf(directory, name)).at(-1)
        if (there && last === turn) return
        clearInterval(timer)
        lost.abort(
          new StreamtoolError('STORAGE_FAILED', `Another process took over ${file}.`, {facts: {path: file}}),
        )
      })
      // A disk that fails for a while is noticed by those who write there.
      .catch(() => undefined)
  }, HEARTBEAT_MS)
  timer.unref()

  return {
    lost: lost.signal,
    abandon: () => clearInterval(timer),
    async release() {
      clearInterval(timer)
      await beating
      if (lost.signal.aborted) await unlinkIfThere(file)
      else await replaceWhole(file, RELEASED).catch(ignoreGone)
    },
  }
}

/** Somebody removed the directory, and the lock with it. */
function ignoreGone(thrown: unknown): void {
  if (errno(thrown) !== 'ENOENT') throw thrown
}

function fileOf(name: string, turn: number): string {
  return `${name}.${turn}.lock`
}

async function turnsOf(directory: string, name: string): Promise<number[]> {
  const turns: number[] = []
  for (const file of await readdir(directory)) {
    const match = LOCK_FILE.exec(file)
    if (match?.[1] === name) turns.push(Number(match[2]))
  }
  return turns.sort((a, b) => a - b)
}

async function isHeld(directory: string, file: string): Promise<boolean> {
  const content = await readIfThere(path.join(directory, file))
  if (content === null || content === RELEASED) return false
  const owner = parseIdentity(content)
  // No identity: cut short by a crash, or being written where there are no hard links.
  const life = owner === null ? 'unknown' : livenessOf(owner)
  return life === 'unknown' ? !(await isStale(directory, file)) : life === 'alive'
}

/** By the clock of the file system alone: hosts that share it need not agree on the time. */
async function isStale(directory: string, file: string): Promise<boolean> {
  const probe = path.join(directory, `${randomUUID()}.probe`)
  try {
    await writeFile(probe, '', {flag: 'wx'})
    const now = (await stat(probe)).mtimeMs
    return now - (await stat(path.join(directory, file))).mtimeMs > STALE_MS
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return true
    throw thrown
  } finally {
    await unlinkIfThere(probe)
  }
}

/** Written rather than touched, so that the time is the file server's. @returns false when the file is gone */
async function beat(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r+')
    try {
      await handle.write(identityText(), 0)
    } finally {
      await handle.close()
    }
    return true
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return false
    throw thrown
  }
}

function identityText(): string {
  return `${JSON.stringify(thisProcess())}\n`
}
