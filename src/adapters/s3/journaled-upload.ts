/** One upload in the journal (upload-journal.ts), until it is over. */
import {StreamtoolError} from '../../core/errors.js'
import {type JournalDirectory, type JournalEntry, ORPHANS, type Place} from './journal-directory.js'

interface JournaledUploadSite {
  readonly directory: JournalDirectory
  /** Of this process, as of now. */
  readonly ownPlace: () => Promise<Place>
  readonly onOver: (upload: JournaledUpload) => void
}

export class JournaledUpload {
  private readonly taken = new AbortController()

  /** @param place where its file is, as far as this process knows */
  constructor(
    private readonly site: JournaledUploadSite,
    readonly id: string,
    public place: Place,
    private known: JournalEntry,
  ) {}

  get entry(): JournalEntry {
    return this.known
  }

  /** Aborted, with OBJECT_CONFLICT, when another process goes on with it, or ends it. */
  get lost(): AbortSignal {
    return this.taken.signal
  }

  /** Makes an orphan this process's own. @returns false when another one was faster */
  async claim(): Promise<boolean> {
    const own = await this.site.ownPlace()
    if (this.place !== ORPHANS) return !this.lost.aborted
    if (!(await this.site.directory.move(this.id, ORPHANS, own))) return false
    this.place = own
    return true
  }

  /** It is begun. */
  async begun(uploadId: string): Promise<void> {
    await this.site.ownPlace()
    this.known = {...this.known, uploadId}
    await this.site.directory.replace(this.place, this.id, this.known)
  }

  /** It is completed or aborted. */
  async over(): Promise<void> {
    await this.site.ownPlace()
    if (!this.lost.aborted) await this.site.directory.remove(this.place, this.id)
    this.site.onOver(this)
  }

  /** Another process took this one for dead, and has it. */
  isTaken(): void {
    const {key} = this.known
    this.site.onOver(this)
    this.taken.abort(
      new StreamtoolError(
        'OBJECT_CONFLICT',
        `Another process took this one for dead, and over what it sent of ${key}.`,
        {
          facts: {key},
          suggestions: ['It is read again. Do not suspend processes that share a --state-dir for a minute.'],
        },
      ),
    )
  }
}
