/** The files of the upload journal (upload-journal.ts): one for each upload, in the place of a process or of none. */
import {mkdir, readdir, rename} from 'node:fs/promises'
import path from 'node:path'
import {type ProcessLock, tryLock} from '../system/process-lock.js'
import {errno, naming} from '../system/storage-error.js'
import {createWhole, readIfThere, replaceWhole, unlinkIfThere} from '../system/whole-file.js'

export interface JournalEntry {
  readonly key: string
  /** Null: it was about to be begun. */
  readonly uploadId: string | null
  /** Of what, and with which settings: only the very same goes on with it. */
  readonly generation: string
  readonly partBytes: number
  readonly begunMs: number
  /** In the metadata of the object that it becomes. */
  readonly writeId: string
}

/** Which process a file belongs to: the number of its slot, or nobody's. */
export type Place = string
export const ORPHANS: Place = 'orphan'

export interface JournalSlot {
  readonly place: Place
  readonly lock: ProcessLock
}

const ENTRY_FILE = /^(\d{1,9}|orphan)\.([0-9a-f-]{36})\.json$/

/** Every method throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED. */
export class JournalDirectory {
  constructor(private readonly directory: string) {}

  /** The lowest that no live process holds. */
  async takeSlot(): Promise<JournalSlot> {
    await naming('create', this.directory, () => mkdir(this.directory, {recursive: true, mode: 0o700}))
    for (let slot = 0; ; slot += 1) {
      const lock = await this.lock(String(slot))
      if (lock !== null) return {place: String(slot), lock}
    }
  }

  /** @returns null while the process of that place lives */
  lock(place: Place): Promise<ProcessLock | null> {
    return tryLock(this.directory, place)
  }

  /** Ids by place. */
  async entries(): Promise<Map<Place, string[]>> {
    const found = new Map<Place, string[]>()
    for (const name of await naming('read', this.directory, () => readdir(this.directory))) {
      const [, place, id] = ENTRY_FILE.exec(name) ?? []
      if (place !== undefined && id !== undefined) found.set(place, [...(found.get(place) ?? []), id])
    }
    return found
  }

  /** @returns null when it is nowhere */
  async placeOf(id: string): Promise<Place | null> {
    const found = [...(await this.entries())].find(([, ids]) => ids.includes(id))
    return found?.[0] ?? null
  }

  /** @returns false when it is not there any more */
  async move(id: string, from: Place, to: Place): Promise<boolean> {
    const file = this.fileOf(from, id)
    return naming('take over', file, async () => {
      try {
        await rename(file, this.fileOf(to, id))
        return true
      } catch (thrown) {
        if (errno(thrown) === 'ENOENT') return false
        throw thrown
      }
    })
  }

  /** @returns null when it is not there, or was cut short by a crash: then nothing was begun, and it is removed */
  async read(place: Place, id: string): Promise<JournalEntry | null> {
    const file = this.fileOf(place, id)
    const text = await naming('read', file, () => readIfThere(file))
    if (text === null) return null
    const entry = parseEntry(text)
    if (entry === null) await this.remove(place, id)
    return entry
  }

  /** Durable when this resolves. */
  async create(place: Place, id: string, entry: JournalEntry): Promise<void> {
    const file = this.fileOf(place, id)
    await naming('write', file, () => createWhole(file, textOf(entry)))
  }

  async replace(place: Place, id: string, entry: JournalEntry): Promise<void> {
    const file = this.fileOf(place, id)
    await naming('write', file, () => replaceWhole(file, textOf(entry)))
  }

  async remove(place: Place, id: string): Promise<void> {
    const file = this.fileOf(place, id)
    await naming('remove', file, () => unlinkIfThere(file))
  }

  private fileOf(place: Place, id: string): string {
    return path.join(this.directory, `${place}.${id}.json`)
  }
}

const textOf = (entry: JournalEntry): string => `${JSON.stringify(entry)}\n`

function parseEntry(text: string): JournalEntry | null {
  try {
    const {key, uploadId, generation, partBytes, begunMs, writeId} = JSON.parse(text) as Partial<JournalEntry>
    const isEntry =
      typeof key === 'string' &&
      (typeof uploadId === 'string' || uploadId === null) &&
      typeof generation === 'string' &&
      typeof partBytes === 'number' &&
      typeof begunMs === 'number' &&
      typeof writeId === 'string'
    return isEntry ? {key, uploadId, generation, partBytes, begunMs, writeId} : null
  } catch {
    return null
  }
}
