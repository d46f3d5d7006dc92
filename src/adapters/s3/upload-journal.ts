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
 *
 * A process that was suspended may be taken for dead. Then it takes another slot, and back what nobody has claimed;
 * an upload that somebody has is given up, and left alone.
 */
import {randomUUID} from 'node:crypto'
import {
  JournalDirectory,
  type JournalEntry,
  type JournalSlot,
  ORPHANS,
  type Place,
} from './journal-directory.js'
import {JournaledUpload} from './journaled-upload.js'

/** So often it is looked for what others left when they died. */
const LOOK_MS = 5000

export class UploadJournal {
  /** Left by processes that are dead; others may have claimed them since. */
  readonly orphans = new Set<JournaledUpload>()
  /** This process's own, until they are over. */
  readonly live = new Set<JournaledUpload>()
  /** Of {@link live}, those that were in a slot that we lost. */
  private readonly displaced = new Set<JournaledUpload>()
  private looking: Promise<void> = Promise.resolve()
  private lookedMs = performance.now()
  private settling: Promise<void> | null = null

  private constructor(
    private readonly directory: JournalDirectory,
    private slot: JournalSlot,
  ) {
    this.settleWhenLost()
  }

  /** @throws STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
  static async open(path: string): Promise<UploadJournal> {
    const directory = new JournalDirectory(path)
    const journal = new UploadJournal(directory, await directory.takeSlot())
    await journal.findOrphans({isSlotNew: true})
    return journal
  }

  /** To be called before the upload is begun. */
  async begin(facts: Omit<JournalEntry, 'uploadId'>): Promise<JournaledUpload> {
    const id = randomUUID()
    const entry = {...facts, uploadId: null}
    const place = await this.ownPlace()
    await this.directory.create(place, id, entry)
    const begun = this.journaled(id, place, entry)
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
    await this.settling?.catch(() => undefined)
    await this.slot.lock.release()
  }

  private journaled(id: string, place: Place, entry: JournalEntry): JournaledUpload {
    const site = {
      directory: this.directory,
      ownPlace: () => this.ownPlace(),
      onOver: (upload: JournaledUpload) => {
        this.live.delete(upload)
        this.displaced.delete(upload)
      },
    }
    return new JournaledUpload(site, id, place, entry)
  }

  /** Of this process; another one when it was lost. */
  private async ownPlace(): Promise<Place> {
    if (this.slot.lock.lost.aborted || this.displaced.size > 0)
      await (this.settling ??= this.settle().finally(() => (this.settling = null)))
    return this.slot.place
  }

  private settleWhenLost(): void {
    // What fails is tried again by whoever needs the slot.
    const settle = (): void => void this.ownPlace().catch(() => undefined)
    this.slot.lock.lost.addEventListener('abort', settle, {once: true})
  }

  private async settle(): Promise<void> {
    const {lock} = this.slot
    if (lock.lost.aborted) {
      this.slot = await this.directory.takeSlot()
      this.settleWhenLost()
      for (const upload of this.live) this.displaced.add(upload)
      await lock.release()
      await this.findOrphans({isSlotNew: true})
    }
    for (const upload of this.displaced) {
      await this.takeBack(upload)
      this.displaced.delete(upload)
    }
  }

  /** Unless somebody has it. */
  private async takeBack(upload: JournaledUpload): Promise<void> {
    const {directory} = this
    const {place: own} = this.slot
    for (;;) {
      const place = await directory.placeOf(upload.id)
      if (place !== null && place !== own && !(await this.isOrphaned(place, [upload.id]))) {
        if (upload.entry.uploadId !== null) {
          upload.isTaken()
          return
        }
        // It was not begun when they took it, so they cannot know it.
        await directory.create(own, upload.id, upload.entry)
      } else if (place === null) await directory.create(own, upload.id, upload.entry)
      else if (place !== own && !(await directory.move(upload.id, ORPHANS, own))) continue
      upload.place = own
      return
    }
  }

  /** Others may have died since. */
  private look(): Promise<void> {
    if (performance.now() - this.lookedMs > LOOK_MS) {
      this.lookedMs = performance.now()
      // What failed once may succeed now.
      this.looking = this.looking.catch(() => undefined).then(() => this.findOrphans({isSlotNew: false}))
    }
    return this.looking
  }

  /** @param isSlotNew what is in our own slot, its last holder left */
  private async findOrphans({isSlotNew}: {readonly isSlotNew: boolean}): Promise<void> {
    const ours = new Set([...this.orphans, ...this.live].map(({id}) => id))
    for (const [place, ids] of await this.directory.entries()) {
      const others = ids.filter((id) => !ours.has(id))
      const isOwn = place === this.slot.place
      if (isOwn && isSlotNew) for (const id of others) await this.directory.move(id, place, ORPHANS)
      else if (isOwn || others.length === 0 || !(await this.isOrphaned(place, others))) continue
      for (const id of others) await this.note(id)
    }
  }

  /** Whether nobody has these any more; then they lie with the orphans, unless somebody else was faster. */
  private async isOrphaned(place: Place, ids: readonly string[]): Promise<boolean> {
    if (place === ORPHANS) return true
    const lock = await this.directory.lock(place)
    if (lock === null) return false
    for (const id of ids) await this.directory.move(id, place, ORPHANS)
    await lock.release()
    return true
  }

  private async note(id: string): Promise<void> {
    const entry = await this.directory.read(ORPHANS, id)
    if (entry !== null) this.orphans.add(this.journaled(id, ORPHANS, entry))
  }
}
