import type {Destination, SpillStore} from '../core/ports/index.js'

/** Where files are delivered to, and what belongs to that place. */
export interface Delivery {
  readonly destination: Destination
  readonly spill: SpillStore
  /** The group of this destination, so that a restart goes on where it was and each destination gets everything. */
  defaultGroup(): Promise<string>
  close(): Promise<void>
}
