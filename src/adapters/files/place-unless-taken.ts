/**
 * Placing a file where a file that is not ours is not to be replaced (`--on-conflict keep|rename|fail`).
 *
 * Ours is what the index says that we delivered, as long as it has that size, and that time or that content; and what
 * has the very content that is to be delivered, whoever wrote it. A newer generation replaces what is ours. A file of
 * somebody else is kept, and the delivered one is left out, put beside it as `name (2).ext`, or refused.
 *
 *     intent in the index -> link, which fails where something is -> remove the partial file -> enter in the index
 *     intent in the index -> rename over what is ours                                       -> enter in the index
 *
 * Death between any two of these steps leaves a file that the intent, or its content, tells to be ours: it is neither
 * delivered a second time under another name, nor taken for a conflict. Between looking at a file of ours and renaming
 * over it somebody could still put another in its place; Node has no call that exchanges one for the other. Where
 * there are no hard links that is so for every name.
 */
import {createHash} from 'node:crypto'
import {createReadStream, type Stats} from 'node:fs'
import path from 'node:path'
import {pipeline} from 'node:stream/promises'
import {StreamtoolError} from '../../core/errors.js'
import {calls} from '../system/calls.js'
import {errno, HAS_NO_LINKS, naming, storageError} from '../system/storage-error.js'
import {unlinkIfThere} from '../system/whole-file.js'
import {CONTENT_BYTES, type Delivered, deliveredEntry, isSameGeneration} from './index-slot.js'
import type {PartialFile} from './partial-file.js'
import {isSameTime, lookAt, moveInto, parentOf, type Placed, type Publication, targetOf} from './placing.js'

/** Under its own name, then as `name (2)`, `name (3)`, … */
const LAST_COPY = 1000

export async function placeUnlessTaken(partial: PartialFile, publication: Publication): Promise<Placed> {
  const {workspace, onConflict, file} = publication
  const delivered = deliveredEntry(file, partial.sizeBytes)
  const traces = await workspace.index.traces(delivered)
  const site = {partial, publication, delivered, traces}
  const lastCopy = onConflict === 'rename' ? LAST_COPY : 0
  for (const copy of new Set([traces[0]?.copy ?? 0, ...copiesUpTo(lastCopy)])) {
    const placed = await placeAt(copy, site)
    if (placed !== null) return placed
  }
  return leaveOut(site)
}

interface Site {
  readonly partial: PartialFile
  readonly publication: Publication
  readonly delivered: Delivered
  readonly traces: readonly Delivered[]
}

/** @returns null when somebody else's file has this name, or nothing is left of an earlier copy there */
async function placeAt(copy: number, site: Site): Promise<Placed | null> {
  const {partial, publication, delivered, traces} = site
  const {workspace} = publication
  const directory = await parentOf(publication)
  const target = targetOf(publication, nameOf(publication, copy))
  for (;;) {
    const present = await lookAt(target)
    if (present === null) {
      if (copy !== 0 && !(await mayCopy(publication))) return null
      const link = (): Promise<void> => linkUnlessThere(partial, target)
      const linked = await move(link, target, {...delivered, copy}, site).catch(nullIfThere)
      if (linked === null) continue
      await unlinkIfThere(partial.path).catch(() => undefined)
      if (copy !== 0) tellCopy(publication, target)
      return linked
    }
    const holding = await workspace.index.holds(delivered)
    if (holding.what === 'newer') return {outcome: 'superseded', entry: null, directory}
    if (await isDelivered(present, target, copy, site)) {
      const entry = holding.what === 'same' ? holding.asOf : delivered
      return {outcome: 'unchanged', entry: {...entry, copy}, directory}
    }
    if (!(await isOurs(present, target, copy, traces))) return null
    return move(() => calls.rename(partial.path, target), target, {...delivered, copy}, site)
  }
}

async function move(
  step: () => Promise<void>,
  target: string,
  entry: Delivered,
  {publication}: Site,
): Promise<Placed> {
  publication.throwIfAborted()
  await publication.workspace.index.intend(entry)
  const directory = await moveInto(await parentOf(publication), target, step, publication)
  return {outcome: 'delivered', entry, directory}
}

async function linkUnlessThere(partial: PartialFile, target: string): Promise<void> {
  try {
    await calls.link(partial.path, target)
  } catch (thrown) {
    if (!HAS_NO_LINKS.has(errno(thrown))) throw thrown
    if ((await lookAt(target)) !== null) throw Object.assign(new Error('it is there'), {code: 'EEXIST'})
    await calls.rename(partial.path, target)
  }
}

/** Somebody else's file has the name, and it is not put beside it. */
async function leaveOut({publication, traces}: Site): Promise<Placed> {
  const target = targetOf(publication)
  const {onConflict, logger, file} = publication
  if (onConflict === 'keep') {
    const present = await lookAt(target)
    if (present?.isDirectory()) throw storageError(directoryThere(), 'write', target)
    logger.debug(`Another file has the name ${target} and is kept.`, {path: file.path})
    return {outcome: 'kept', entry: null, directory: await parentOf(publication)}
  }
  const what = traces.length > 0 ? 'was changed since it was delivered' : 'was not delivered by streamtool'
  throw new StreamtoolError('FILE_EXISTS', `${target} is there already, and ${what}.`, {
    facts: {path: target},
    suggestions: ['Move it away and start again.', 'Or choose --on-conflict overwrite, keep, or rename.'],
  })
}

/** A copy that was removed need not be one again when its own name is free now. */
async function mayCopy(publication: Publication): Promise<boolean> {
  return publication.onConflict === 'rename' && (await lookAt(targetOf(publication))) !== null
}

/** Whether this very content is there: by the index and its time, else by looking. */
async function isDelivered(
  present: Stats,
  target: string,
  copy: number,
  {delivered, traces, publication: {file}}: Site,
): Promise<boolean> {
  const trace = traces.find((each) => each.copy === copy && isSameGeneration(each, delivered))
  if (trace && present.isFile() && present.size === trace.sizeBytes && file.mtimeMs !== null) {
    if (isSameTime(present.mtimeMs, file.mtimeMs)) return true
  }
  return hasContent(present, target, delivered.sizeBytes, file.sha512)
}

async function isOurs(
  present: Stats,
  target: string,
  copy: number,
  traces: readonly Delivered[],
): Promise<boolean> {
  for (const trace of traces) {
    if (trace.copy !== copy || !present.isFile() || present.size !== trace.sizeBytes) continue
    const {mtimeMs} = trace.order
    if (mtimeMs !== null && isSameTime(present.mtimeMs, mtimeMs)) return true
    if (await hasContent(present, target, trace.sizeBytes, trace.content)) return true
  }
  return false
}

/** @param sha512 or as much of its beginning as was kept */
async function hasContent(
  present: Stats,
  target: string,
  sizeBytes: number,
  sha512: Buffer,
): Promise<boolean> {
  if (!present.isFile() || present.size !== sizeBytes) return false
  const content = createHash('sha512')
  await naming('read', target, () => pipeline(createReadStream(target), content))
  return content.digest().subarray(0, CONTENT_BYTES).equals(sha512.subarray(0, CONTENT_BYTES))
}

function* copiesUpTo(last: number): Generator<number> {
  yield 0
  for (let copy = 2; copy <= last; copy += 1) yield copy
}

/** `run.tar.gz`, 2 -> `run.tar (2).gz`; `.profile`, 2 -> `.profile (2)` */
function nameOf({components}: Publication, copy: number): string {
  const name = components.at(-1) ?? ''
  if (copy === 0) return name
  const extension = path.extname(name)
  return `${name.slice(0, name.length - extension.length)} (${copy})${extension}`
}

function tellCopy({file, logger}: Publication, target: string): void {
  logger.info(`${file.path} is delivered as ${target}, since another file has its name.`, {path: file.path})
}

function nullIfThere(thrown: unknown): null {
  if (thrown instanceof StreamtoolError && thrown.facts['errno'] === 'EEXIST') return null
  throw thrown
}

function directoryThere(): Error {
  return Object.assign(new Error('a directory is there'), {code: 'EISDIR'})
}
