/** What placing a finished file consists of, whatever is done about files that are there. */
import type {Stats} from 'node:fs'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {FinishOutcome, IncomingFile, Logger, StepObserver} from '../../core/ports/index.js'
import {calls} from '../system/calls.js'
import {errno, naming} from '../system/storage-error.js'
import type {Delivered} from './index-slot.js'
import type {OutputDirectory} from './output-tree.js'
import type {Workspace} from './workspace.js'

/** What becomes of a file that streamtool did not write, or that was changed since, under the name of a delivered one. */
export type OnConflict = 'overwrite' | 'keep' | 'rename' | 'fail'

export interface Publication {
  readonly file: IncomingFile
  readonly components: readonly string[]
  readonly workspace: Workspace
  readonly onConflict: OnConflict
  readonly steps: StepObserver
  readonly logger: Logger
  readonly whenStorageAllows: <T>(work: () => Promise<T>) => Promise<T>
  readonly throwIfAborted: () => void
}

export interface Placed {
  readonly outcome: FinishOutcome
  /** To be entered in the index; null when that would change nothing. */
  readonly entry: Delivered | null
  readonly directory: OutputDirectory
}

export function parentOf({components, workspace}: Publication): Promise<OutputDirectory> {
  return workspace.tree.directory(components.slice(0, -1))
}

/** @param name of the file, when it is not its own */
export function targetOf({components, workspace}: Publication, name = components.at(-1) ?? ''): string {
  return [workspace.root, ...components.slice(0, -1), name].join(path.sep)
}

/** What has the name now, a link itself and not what it leads to; null when nothing has. */
export async function lookAt(target: string): Promise<Stats | null> {
  return naming('write', target, async () => {
    try {
      return await calls.lstat(target)
    } catch (thrown) {
      if (errno(thrown) === 'ENOENT') return null
      throw thrown
    }
  })
}

/**
 * The step that makes the file visible: a rename, or a link.
 * @returns the directory that it was put into
 */
export async function moveInto(
  directory: OutputDirectory,
  target: string,
  move: () => Promise<void>,
  publication: Publication,
): Promise<OutputDirectory> {
  const {steps, workspace} = publication
  const moveNow = (): Promise<void> => naming('write', target, move)
  steps.reached('before-rename')
  let movedInto = directory
  try {
    await moveNow()
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown
    // Somebody removed the directory since it was looked at.
    workspace.tree.forgetDirectories()
    movedInto = await parentOf(publication)
    await moveNow()
  }
  steps.reached('after-rename')
  return movedInto
}

export function hasTimeOf({mtimeMs}: IncomingFile, present: Stats): boolean {
  return mtimeMs === null || isSameTime(present.mtimeMs, mtimeMs)
}

/** File systems keep times more or less exactly. */
export function isSameTime(aMs: number, bMs: number): boolean {
  return Math.abs(aMs - bMs) < 1
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof StreamtoolError && thrown.facts['errno'] === 'ENOENT'
}
