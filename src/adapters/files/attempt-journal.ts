/**
 * Attempts on files that have not been processed yet, one small file each:
 *
 *     <output>/.streamtool/attempts/<upload key>.json     {"attempts":3,"deaths":0,"isRunning":false}
 *
 * There are as many as files that are being processed or held. What is left of uploads that nobody will try again
 * (superseded, parked, removed from the topic) goes when it is old, or when there are too many.
 */
import {mkdir, readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import type {AttemptJournal, AttemptRecord} from '../../core/ports/index.js'
import {naming} from '../system/storage-error.js'
import {readIfThere, replaceWhole, unlinkIfThere} from '../system/whole-file.js'
import type {WhenStorageAllows} from './storage-outage.js'

const MOST_ENTRIES = 10_000
const FORGOTTEN_AFTER_MS = 90 * 24 * 3_600_000
/** What a process that was killed while writing left behind. */
const UNFINISHED_AFTER_MS = 3_600_000

export interface AttemptJournalOptions {
  readonly whenStorageAllows: WhenStorageAllows
  /** Ends every wait for the storage. */
  readonly signal: AbortSignal
  readonly nowMs: number
}

/**
 * Makes the directory.
 * @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function openAttemptJournal(
  directory: string,
  {whenStorageAllows, signal, nowMs}: AttemptJournalOptions,
): Promise<AttemptJournal> {
  await naming('create', directory, () => mkdir(directory, {recursive: true, mode: 0o700}))
  await naming('clear', directory, () => removeOld(directory, nowMs))
  const fileOf = (key: string): string => path.join(directory, `${key}.json`)
  const working = <T>(action: string, key: string, work: (file: string) => Promise<T>): Promise<T> =>
    whenStorageAllows(
      () => naming(action, fileOf(key), () => work(fileOf(key))),
      () => signal,
    )
  return {
    read: (key) => working('read', key, async (file) => parseRecord(await readIfThere(file))),
    write: (key, record) =>
      working('write', key, (file) => replaceWhole(file, `${JSON.stringify(record)}\n`)),
    forget: (key) => working('remove', key, unlinkIfThere),
  }
}

/** @returns null also for what a power cut made of it */
function parseRecord(text: string | null): AttemptRecord | null {
  if (text === null) return null
  try {
    const {attempts, deaths, isRunning} = JSON.parse(text) as Partial<Record<keyof AttemptRecord, unknown>>
    return isCount(attempts) && isCount(deaths) ? {attempts, deaths, isRunning: isRunning === true} : null
  } catch {
    return null
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

async function removeOld(directory: string, nowMs: number): Promise<void> {
  const entries: {file: string; ageMs: number}[] = []
  for (const name of await readdir(directory)) {
    const file = path.join(directory, name)
    // Another process may be done with it by now.
    const stats = await stat(file).catch(() => null)
    if (stats?.isFile()) entries.push({file, ageMs: nowMs - stats.mtimeMs})
  }
  entries.sort((a, b) => a.ageMs - b.ageMs)
  for (const [index, {file, ageMs}] of entries.entries()) {
    const isOver = file.endsWith('.json')
      ? index >= MOST_ENTRIES || ageMs > FORGOTTEN_AFTER_MS
      : ageMs > UNFINISHED_AFTER_MS
    if (isOver) await unlinkIfThere(file)
  }
}
