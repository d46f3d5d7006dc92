/** The step in which a finished file becomes visible: the rename, and what is asked before and written down after. */
import type {Stats} from 'node:fs'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {FinishOutcome, IncomingFile, StepObserver} from '../../core/ports/index.js'
import {calls} from '../system/calls.js'
import {errno, naming} from '../system/storage-error.js'
import type {Holding} from './delivered-index.js'
import {type Delivered, deliveredEntry} from './index-slot.js'
import type {OutputDirectory} from './output-tree.js'
import type {PartialFile} from './partial-file.js'
import type {Workspace} from './workspace.js'

export interface Publication {
  readonly file: IncomingFile
  readonly components: readonly string[]
  readonly workspace: Workspace
  readonly steps: StepObserver
  readonly whenStorageAllows: <T>(work: () => Promise<T>) => Promise<T>
  readonly throwIfAborted: () => void
}

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
  const {whenStorageAllows} = publication
  // As a whole, and again from the start after an outage: what is there may be another file then.
  const {outcome, entry, directory} = await whenStorageAllows(() => place(partial, publication))
  if (entry === null) return {outcome, syncs: []}
  return {outcome, syncs: await enter(entry, directory, publication)}
}

interface Placed {
  readonly outcome: FinishOutcome
  /** Null when the index knows already. */
  readonly entry: Delivered | null
  readonly directory: OutputDirectory
}

async function place(partial: PartialFile, publication: Publication): Promise<Placed> {
  const {file, components, workspace, throwIfAborted} = publication
  const target = [workspace.root, ...components].join(path.sep)
  const directory = await parentOf(publication)
  const delivered = deliveredEntry(file, partial.sizeBytes)
  const present = (await workspace.index.mayHold(delivered)) ? await lookAt(target) : null
  const holding: Holding = present === null ? {what: 'neither'} : await workspace.index.holds(delivered)
  if (holding.what === 'newer') return {outcome: 'superseded', entry: null, directory}

  const entry = holding.what === 'same' ? holding.asOf : delivered
  // Somebody may have changed it since: then it is delivered again.
  if (holding.what === 'same' && present !== null && looksUntouched(present, file, partial)) {
    // Whoever delivered it may have died before it was durable.
    return {outcome: 'unchanged', entry, directory}
  }
  throwIfAborted()
  return {outcome: 'delivered', entry, directory: await renameInto(directory, partial, target, publication)}
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

async function renameInto(
  directory: OutputDirectory,
  partial: PartialFile,
  target: string,
  publication: Publication,
): Promise<OutputDirectory> {
  const {steps, workspace} = publication
  const rename = (): Promise<void> => naming('write', target, () => calls.rename(partial.path, target))
  steps.reached('before-rename')
  let renamedInto = directory
  try {
    await rename()
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown
    // Somebody removed the directory since it was looked at.
    workspace.tree.forgetDirectories()
    renamedInto = await parentOf(publication)
    await rename()
  }
  steps.reached('after-rename')
  return renamedInto
}

function parentOf({components, workspace}: Publication): Promise<OutputDirectory> {
  return workspace.tree.directory(components.slice(0, -1))
}

async function lookAt(target: string): Promise<Stats | null> {
  return naming('write', target, async () => {
    try {
      return await calls.lstat(target)
    } catch (thrown) {
      if (errno(thrown) === 'ENOENT') return null
      throw thrown
    }
  })
}

function looksUntouched(present: Stats, {mtimeMs}: IncomingFile, {sizeBytes}: PartialFile): boolean {
  if (!present.isFile() || present.size !== sizeBytes) return false
  return mtimeMs === null || Math.abs(present.mtimeMs - mtimeMs) < 1
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof StreamtoolError && thrown.facts['errno'] === 'ENOENT'
}
