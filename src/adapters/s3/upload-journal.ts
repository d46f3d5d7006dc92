/**
 * Which multipart uploads are ours. A pending upload shows nothing of itself but its key, and the parts of a file that
 * nobody completes are paid for until somebody ends it; so each is written down on this host before it is begun:
 *
 *     <directory>/<slot>.<turn>.lock   which process has the slot
 *     <directory>/<slot>.<id>.json     one upload: key, upload id, generation, how it is cut
 *
 * What a process leaves when it dies, the next one on this host takes over: to go on with it when the file comes
 * again, or to end it. An entry without an upload id is an upload that was about to be begun, and perhaps was.
 */
import {randomUUID} from 'node:crypto'
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

/** An upload of ours, until it is over. */
export interface JournaledUpload {
  readonly entry: JournalEntry
  /** It is begun. */
  begun(uploadId: string): Promise<void>
  /** It is completed or aborted. */
  over(): Promise<void>
}

const ENTRY_FILE = /^(\d{1,9})\.([0-9a-f-]{36})\.json$/

export class UploadJournal {
  /** Left by processes that are dead. */
  readonly orphans = new Set<JournaledUpload>()

  private constructor(
    private readonly directory: string,
    private readonly slot: string,
    private readonly lock: ProcessLock,
  ) {}

  /** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
  static async open(directory: string): Promise<UploadJournal> {
    await naming('create', directory, () => mkdir(directory, {recursive: true, mode: 0o700}))
    for (let slot = 0; ; slot += 1) {
      const lock = await tryLock(directory, String(slot))
      if (lock === null) continue
      const journal = new UploadJournal(directory, String(slot), lock)
      await journal.takeOver()
      return journal
    }
  }

  /** To be called before the upload is begun. */
  async begin(facts: Omit<JournalEntry, 'uploadId'>): Promise<JournaledUpload> {
    const file = this.fileOf(randomUUID())
    const entry = {...facts, uploadId: null}
    await naming('write', file, () => createWhole(file, `${JSON.stringify(entry)}\n`))
    return this.journaled(file, entry)
  }

  /** The orphan that is to be gone on with, if there is one; it is none any more then. */
  adopt(key: string, generation: string): JournaledUpload | null {
    for (const orphan of this.orphans) {
      const {entry} = orphan
      if (entry.key !== key || entry.generation !== generation || entry.uploadId === null) continue
      this.orphans.delete(orphan)
      return orphan
    }
    return null
  }

  /** Orphans that are left stay for the next process. */
  async close(): Promise<void> {
    await this.lock.release()
  }

  private async takeOver(): Promise<void> {
    const slots = new Map<string, string[]>()
    for (const name of await naming('read', this.directory, () => readdir(this.directory))) {
      const [, slot, id] = ENTRY_FILE.exec(name) ?? []
      if (slot !== undefined && id !== undefined) slots.set(slot, [...(slots.get(slot) ?? []), id])
    }
    for (const [slot, ids] of slots) {
      const lock = slot === this.slot ? null : await tryLock(this.directory, slot)
      if (slot !== this.slot && lock === null) continue
      for (const id of ids) await this.takeOverOne(path.join(this.directory, `${slot}.${id}.json`), id)
      await lock?.release()
    }
  }

  private async takeOverOne(from: string, id: string): Promise<void> {
    const file = this.fileOf(id)
    await naming('take over', from, async () => {
      if (from !== file) await rename(from, file).catch(ignoreGone)
      const entry = parseEntry(await readIfThere(file))
      if (entry === null) await unlinkIfThere(file)
      else this.orphans.add(this.journaled(file, entry))
    })
  }

  private journaled(file: string, first: JournalEntry): JournaledUpload {
    let entry = first
    return {
      get entry() {
        return entry
      },
      async begun(uploadId) {
        entry = {...entry, uploadId}
        await naming('write', file, () => replaceWhole(file, `${JSON.stringify(entry)}\n`))
      },
      over: () => naming('remove', file, () => unlinkIfThere(file)),
    }
  }

  private fileOf(id: string): string {
    return path.join(this.directory, `${this.slot}.${id}.json`)
  }
}

function parseEntry(text: string | null): JournalEntry | null {
  if (text === null) return null
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
    // Cut short by a crash: it was not begun yet.
    return null
  }
}

function ignoreGone(thrown: unknown): void {
  if (errno(thrown) !== 'ENOENT') throw thrown
}
