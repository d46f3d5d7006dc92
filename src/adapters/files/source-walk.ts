/** All files below a directory, one directory in memory at a time. Symbolic links are never followed. */
import path from 'node:path'
import {checkPath} from '../../core/chunk/paths.js'
import type {SourceProblem} from '../../core/ports/index.js'
import {calls} from '../system/calls.js'
import {errno} from '../system/storage-error.js'
import {type Entry, listDirectory, type Listing} from './source-directory.js'
import {type FoundFile, reasonOf} from './source-file.js'

/** Looking at one file after another would take as long as a round trip each, and on network storage that is long. */
const LOOKED_AT_ONCE = 64

/** @param relativePath below the directory that the user named, `/`-separated */
export type Exclude = (relativePath: string, kind: 'file' | 'directory') => boolean

export interface WalkOptions {
  /** Path on the wire of a path below the directory. */
  readonly toWire: (relativePath: string) => string
  readonly exclude: Exclude
}

interface Level {
  readonly localPath: string
  /** Of this directory below the one that is walked, with a `/` at its end unless it is that one. */
  readonly prefix: string
  readonly entries: readonly Entry[]
  next: number
}

export async function* walk(
  directory: string,
  {toWire, exclude}: WalkOptions,
): AsyncGenerator<FoundFile | SourceProblem> {
  const levels: Level[] = []

  function* enter(
    localPath: string,
    prefix: string,
    listing: Listing | SourceProblem,
  ): Generator<SourceProblem> {
    if ('code' in listing) {
      yield listing
      return
    }
    for (const name of listing.unsendable) yield notUtf8(path.join(localPath, name))
    levels.push({localPath, prefix, entries: listing.entries, next: 0})
  }

  yield* enter(directory, '', await listOrProblem(directory))
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const {localPath, prefix} = level
    const files = filesInARow(level)
    if (files.length > 0) {
      const wanted = files.filter(({name}) => !exclude(prefix + name, 'file'))
      const found = wanted.map(({name}) => look(path.join(localPath, name), toWire(prefix + name)))
      for (const file of await Promise.all(found)) if (file) yield file
      continue
    }
    const entry = level.entries[level.next]
    level.next += 1
    if (!entry) levels.pop()
    else if (entry.kind === 'directory') {
      if (exclude(prefix + entry.name, 'directory')) continue
      const below = path.join(localPath, entry.name)
      yield* enter(below, `${prefix}${entry.name}/`, await listOrProblem(below))
    } else if (!exclude(prefix + entry.name, 'file')) {
      yield notAFile(path.join(localPath, entry.name), toWire(prefix + entry.name), entry)
    }
  }
}

/** The next entries of the level that are files, as far as they follow each other. */
function filesInARow(level: Level): Entry[] {
  const files: Entry[] = []
  for (let entry = level.entries[level.next]; entry?.kind === 'file'; entry = level.entries[level.next]) {
    if (files.length === LOOKED_AT_ONCE) break
    files.push(entry)
    level.next += 1
  }
  return files
}

/** @returns null when it went away, or became something else, since its directory was read */
async function look(localPath: string, wirePath: string): Promise<FoundFile | SourceProblem | null> {
  const refused = checkPath(wirePath)
  if (refused !== null) return unsendable(localPath, refused)
  try {
    const stats = await calls.lstat(localPath)
    return stats.isFile() ? {path: wirePath, localPath, sizeBytes: stats.size, followLinks: false} : null
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return null
    return {
      localPath,
      path: wirePath,
      code: 'FILE_UNREADABLE',
      reason: `Cannot look at it: ${reasonOf(thrown)}.`,
    }
  }
}

async function listOrProblem(directory: string): Promise<Listing | SourceProblem> {
  try {
    return await listDirectory(directory)
  } catch (thrown) {
    const reason = `Cannot read this directory: ${reasonOf(thrown)}. Nothing below it was sent.`
    return {localPath: directory, path: null, code: 'FILE_UNREADABLE', reason}
  }
}

function notAFile(localPath: string, wirePath: string, {kind}: Entry): SourceProblem {
  const what =
    kind === 'link' ? 'a symbolic link: name it as an input to send what it points to' : 'no regular file'
  return {localPath, path: wirePath, code: 'FILE_SKIPPED', reason: `It is ${what}.`}
}

function notUtf8(localPath: string): SourceProblem {
  return unsendable(localPath, 'it is not valid UTF-8')
}

export function unsendable(localPath: string, what: string): SourceProblem {
  return {localPath, path: null, code: 'PATH_UNSENDABLE', reason: `Its name cannot be sent: ${what}.`}
}
