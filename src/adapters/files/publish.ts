/** The step in which a finished file becomes visible, with what is asked before and written down after. */
import type {FinishOutcome} from '../../core/ports/index.js'
import {calls} from '../system/calls.js'
import type {Holding} from './delivered-index.js'
import {type Delivered, deliveredEntry} from './index-slot.js'
import type {OutputDirectory} from './output-tree.js'
import type {PartialFile} from './partial-file.js'
import {placeUnlessTaken} from './place-unless-taken.js'
import {hasTimeOf, lookAt, moveInto, parentOf, type Placed, type Publication, targetOf} from './placing.js'

export interface Published {
  readonly outcome: FinishOutcome
  /** To be awaited: they make it durable. */
  readonly syncs: readonly (() => Promise<void>)[]
}

/**
 * One call per path at a time.
 * @param partial sealed; only when the outcome is `delivered` it is gone
 */
export async function publish(partial: PartialFile, publication: Publication): Promise<Published> {
  const {whenStorageAllows, onConflict} = publication
  const place = onConflict === 'overwrite' ? placeOver : placeUnlessTaken
  // As a whole, and again from the start after an outage: what is there may be another file then.
  const {outcome, entry, directory} = await whenStorageAllows(() => place(partial, publication))
  if (entry === null) return {outcome, syncs: []}
  return {outcome, syncs: await enter(entry, directory, publication)}
}

/** Whatever is there is replaced, unless it is newer. */
async function placeOver(partial: PartialFile, publication: Publication): Promise<Placed> {
  const {file, workspace, throwIfAborted} = publication
  const target = targetOf(publication)
  const directory = await parentOf(publication)
  const delivered = deliveredEntry(file, partial.sizeBytes)
  const present = (await workspace.index.mayHold(delivered)) ? await lookAt(target) : null
  const holding: Holding = present === null ? {what: 'neither'} : await workspace.index.holds(delivered)
  if (holding.what === 'newer') return {outcome: 'superseded', entry: null, directory}

  const entry = holding.what === 'same' ? {...holding.asOf, copy: 0} : delivered
  const isUntouched = present?.isFile() && present.size === partial.sizeBytes && hasTimeOf(file, present)
  // Somebody may have changed it since: then it is delivered again.
  if (holding.what === 'same' && isUntouched) {
    // Whoever delivered it may have died before it was durable.
    return {outcome: 'unchanged', entry, directory}
  }
  throwIfAborted()
  const rename = (): Promise<void> => calls.rename(partial.path, target)
  return {outcome: 'delivered', entry, directory: await moveInto(directory, target, rename, publication)}
}

async function enter(
  entry: Delivered,
  directory: OutputDirectory,
  {workspace, whenStorageAllows}: Publication,
): Promise<Published['syncs']> {
  const record = (): Promise<() => Promise<void>> => workspace.index.record(entry)
  let syncIndex = await whenStorageAllows(record)
  return [
    () => directory.sync(),
    () => {
      const sync = syncIndex
      // What the disk did not take is forgotten, and the next sync succeeds without it: so it is written again.
      syncIndex = async () => (await record())()
      return sync()
    },
  ]
}
