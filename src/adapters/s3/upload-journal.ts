/**
 * Which multipart uploads are ours. A pending upload shows nothing of itself but its key, and the parts of a file that
 * nobody completes are paid for until somebody ends it; so each is written down on this host before it is begun:
 *
 *     <directory>/<slot>.<turn>.lock   which process has the slot
 *     <directory>/<slot>.<id>.json     one upload: key, upload id, generation, how it is cut
 *     <directory>/orphan.<id>.json     the same, left by a process that died; whoever renames it has it
 *
 * What a process leaves when it dies, the others on this host find: the one that the file comes to goes on with it, or
 * ends it. An entry without an upload id is an upload that was about to be begun, and perhaps was.
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
  readonly id: string
  readonly entry: JournalEntry
  /** Makes an orphan this process's own. @returns false when another one was faster */
  claim(): Promise<boolean>
  /** It is begun. */
  begun(uploadId: string): Promise<void>
  /** It is completed or aborted. */
  over(): Promise<void>
}

const ORPHANS = 'orphan'
const ENTRY_FILE = /^(\d{1,9}|orphan)\.([0-9a-f-]{36})\.json$/
/** So often it is looked for what others left when they died. */
const LOOK_MS = 5000

export class UploadJournal {
  /** Left by processes that are dead; others may have claimed them since. */
  readonly orphans = new Set<JournaledUpload>()
  /** This process's own, until they are over. */
  readonly live = new Set<JournaledUpload>()
  private looking: Promise<void> = Promise.resolve()
  private lookedMs = performance.now()

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
      // Nothing of this slot is ours yet: it is what its last holder left.
      await journal.findOrphans(String(slot))
      return journal
    }
  }

  /** To be called before the upload is begun. */
  async begin(facts: Omit<JournalEntry, 'uploadId'>): Promise<JournaledUpload> {
    const id = randomUUID()
    const file = this.fileOf(this.slot, id)
    const entry = {...facts, uploadId: null}
    await naming('write', file, () => createWhole(file, `${JSON.stringify(entry)}\n`))
    const begun = this.journaled(id, this.slot, entry)
    this.live.add(begun)
    return begun
  }

  /** The orphan that is to be gone on with, if there is one; it is none any more then. */
  async adopt(key: string, generation: string): Promise<JournaledUpload | null> {
    await this.look()
    for (const orphan of [...this.orphans]) {
      const {entry} = orphan
      if (entry.key !== key || entry.generation !== generation || entry.uploadId === null) continue
      this.orphans.delete(orphan)
      if (!(await orphan.claim())) continue
      this.live.add(orphan)
      return orphan
    }
    return null
  }

  /** Orphans that are left stay for other processes. */
  async close(): Promise<void> {
    await this.lock.release()
  }

  /** Others may have died since. */
  private look(): Promise<void> {
    if (performance.now() - this.lookedMs > LOOK_MS) {
      this.lookedMs = performance.now()
      // What failed once may succeed now.
      this.looking = this.looking.catch(() => undefined).then(() => this.findOrphans(null))
    }
    return this.looking
  }

  /** @param emptySlot in which nothing is of a live process, though it has one */
  private async findOrphans(emptySlot: string | null): Promise<void> {
    const slots = new Map<string, string[]>()
    for (const name of await naming('read', this.directory, () => readdir(this.directory))) {
      const [, slot, id] = ENTRY_FILE.exec(name) ?? []
      if (slot !== undefined && id !== undefined) slots.set(slot, [...(slots.get(slot) ?? []), id])
    }
    const known = new Set([...this.orphans].map(({id}) => id))
    for (const [slot, ids] of slots) {
      if (slot !== ORPHANS && !(await this.orphaned(slot, ids, slot === emptySlot))) continue
      for (const id of ids) if (!known.has(id)) await this.note(id)
    }
  }

  /** @returns false when their process lives */
  private async orphaned(slot: string, ids: readonly string[], isEmpty: boolean): Promise<boolean> {
    const lock = isEmpty ? null : await tryLock(this.directory, slot)
    if (!isEmpty && lock === null) return false
    for (const id of ids) await this.move(id, slot, ORPHANS)
    await lock?.release()
    return true
  }

  private async note(id: string): Promise<void> {
    const file = this.fileOf(ORPHANS, id)
    const text = await naming('read', file, () => readIfThere(file))
    if (text === null) return
    const entry = parseEntry(text)
    if (entry === null) await naming('remove', file, () => unlinkIfThere(file))
    else this.orphans.add(this.journaled(id, ORPHANS, entry))
  }

  /** @returns false when it is not there any more */
  private async move(id: string, from: string, to: string): Promise<boolean> {
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

  private journaled(id: string, place: string, first: JournalEntry): JournaledUpload {
    let entry = first
    let isOurs = place === this.slot
    const file = this.fileOf(this.slot, id)
    const upload: JournaledUpload = {
      id,
      get entry() {
        return entry
      },
      claim: async () => (isOurs ||= await this.move(id, ORPHANS, this.slot)),
      async begun(uploadId) {
        entry = {...entry, uploadId}
        await naming('write', file, () => replaceWhole(file, `${JSON.stringify(entry)}\n`))
      },
      over: async () => {
        await naming('remove', file, () => unlinkIfThere(file))
        this.live.delete(upload)
      },
    }
    return upload
  }

  private fileOf(place: string, id: string): string {
    return path.join(this.directory, `${place}.${id}.json`)
  }
}

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
    // Cut short by a crash: it was not begun yet.
    return null
  }
}
