import type {Turns} from '../../core/flow/index.js'
import type {FileWriter} from '../../core/ports/index.js'
import type {UploadSite} from './multipart-upload.js'
import type {ObjectSettings} from './object-settings.js'
import type {PartMemory} from './part-buffer.js'
import type {Conditions, IfExists} from './publish.js'

/** What the writers of a bucket share. */
export interface WriterSite extends Omit<UploadSite, 'whenStoreAllows'> {
  readonly ifExists: IfExists
  readonly conditions: Conditions
  readonly object: ObjectSettings
  /** Of {@link object}, for what goes on with an upload. */
  readonly fingerprint: string
  readonly wantedPartBytes: number
  readonly memory: PartMemory
  /** By key: looking at what is there and writing belong together. */
  readonly turns: Turns
  /** The store proves nothing of what it was sent, so it is read back. */
  readonly readsBack: boolean
  readonly whenStoreAllows: <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>
  /** Whatever dead processes had under way to its key was in vain, or is done. */
  readonly onConcluded: (key: string) => Promise<void>
  readonly onSettled: (writer: FileWriter) => void
}
