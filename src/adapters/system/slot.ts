/**
 * A private sub-directory per process, below a directory that several processes may share: the lowest number
 * that no live process holds. What a dead process left in its own is removed, what a live one has is not touched.
 */
import {mkdir, readdir, rm} from 'node:fs/promises'
import path from 'node:path'
import {type ProcessLock, tryLock} from './process-lock.js'
import {naming} from './storage-error.js'

const SLOT_NAME = /^\d{1,9}$/

export interface Slot {
  readonly number: number
  /** Empty when the slot is taken, and removed with what is in it on release. */
  readonly directory: string
  /** Aborted when another host took this process for dead: its files may be gone. */
  readonly lost: AbortSignal
  release(): Promise<void>
  /** For one whose directory somebody removed: what is there now is none of ours. */
  abandon(): void
}

/** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function takeSlot(shared: string): Promise<Slot> {
  const {number, lock} = await lockLowest(shared)
  const directory = path.join(shared, String(number))
  await naming('prepare', directory, async () => {
    await empty(directory)
    await mkdir(directory, {mode: 0o700})
    await emptyThoseOfTheDead(shared, number)
  })
  return {
    number,
    directory,
    lost: lock.lost,
    abandon: () => lock.abandon(),
    release: () =>
      naming('clear', directory, async () => {
        if (!lock.lost.aborted) await empty(directory)
        await lock.release()
      }),
  }
}

async function lockLowest(shared: string): Promise<{number: number; lock: ProcessLock}> {
  for (let number = 0; ; number += 1) {
    const lock = await tryLock(shared, String(number))
    if (lock) return {number, lock}
  }
}

async function emptyThoseOfTheDead(shared: string, own: number): Promise<void> {
  for (const {name} of (await readdir(shared, {withFileTypes: true})).filter((entry) =>
    entry.isDirectory(),
  )) {
    if (name === String(own) || !SLOT_NAME.test(name)) continue
    const lock = await tryLock(shared, name)
    if (!lock) continue
    await empty(path.join(shared, name))
    await lock.release()
  }
}

async function empty(directory: string): Promise<void> {
  await rm(directory, {recursive: true, force: true})
}
