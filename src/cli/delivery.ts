import type {Destination, SpillStore} from '../core/ports/index.js'

/** Where files are delivered to, and what belongs to that place. */
export interface Delivery {
  readonly destination: Destination
  readonly spill: SpillStore
  /** Of `--memory`, what the destination takes for itself; nothing unless given. */
  readonly memoryBytes?: number
  /** Files being finished at once, when that is not `--concurrency`. */
  readonly finishing?: number
  /** The group of this destination, so that a restart goes on where it was and each destination gets everything. */
  defaultGroup(): Promise<string>
  close(): Promise<void>
}
