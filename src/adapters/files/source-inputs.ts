/** What the user named: looked at before anything is listed, and refused when two would be one file on the topic. */
import {lstat, stat} from 'node:fs/promises'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {errno} from '../system/storage-error.js'
import {type Entry, listDirectory} from './source-directory.js'
import {reasonOf} from './source-file.js'
import type {Exclude} from './source-walk.js'

/** `relativePath`: what the file is called before a prefix. */
export type Input =
  | {
      readonly kind: 'file'
      readonly localPath: string
      readonly relativePath: string
      readonly sizeBytes: number
    }
  | {readonly kind: 'directory'; readonly localPath: string}
  | {readonly kind: 'stdin'; readonly localPath: '-'; readonly relativePath: string}
  | {readonly kind: 'unreadable'; readonly localPath: string; readonly reason: string}

/** Symbolic links are followed here, and only here. @throws INPUT_MISSING */
export async function lookAtInputs(
  inputs: readonly string[],
  stdinName: string | null,
): Promise<readonly Input[]> {
  const looked = await Promise.all(inputs.map((input) => lookAt(input, stdinName)))
  const missing = inputs.filter((_, i) => looked[i] === null)
  if (missing.length === 0) return looked.filter((input) => input !== null)
  throw new StreamtoolError(
    'INPUT_MISSING',
    missing.length === 1 ? `There is no ${missing[0] ?? ''}.` : `There are no ${missing.join(', ')}.`,
    {facts: {missing: missing.join(', ')}, suggestions: ['Check the spelling and the working directory.']},
  )
}

/** @throws INPUT_COLLISION */
export async function refuseCollisions(inputs: readonly Input[], exclude: Exclude): Promise<void> {
  const owners = new Map<string, string>()
  for (const input of inputs) {
    if (input.kind !== 'file' && input.kind !== 'stdin') continue
    const owner = owners.get(input.relativePath)
    if (owner !== undefined) throw collision(input.relativePath, owner, input.localPath)
    owners.set(input.relativePath, input.localPath)
  }
  const directories = inputs.filter(({kind}) => kind === 'directory').map(({localPath}) => localPath)
  for (const directory of directories) {
    for (const [relativePath, owner] of owners) {
      if (exclude(relativePath, 'file')) continue
      const inside = path.join(directory, relativePath)
      if (await isFile(inside)) throw collision(relativePath, owner, inside)
    }
  }
  await refuseSharedFiles(directories, '', exclude)
}

/**
 * Only directories that several inputs have are looked into together, so this takes no memory for the files, and
 * next to no time for inputs that have little in common.
 */
async function refuseSharedFiles(
  directories: readonly string[],
  prefix: string,
  exclude: Exclude,
): Promise<void> {
  if (directories.length < 2) return
  const holders = new Map<string, Partial<Record<Entry['kind'], string[]>>>()
  for (const directory of directories) {
    for (const {name, kind} of await entriesOf(directory)) {
      const byKind = holders.get(name) ?? {}
      holders.set(name, byKind)
      ;(byKind[kind] ??= []).push(path.join(directory, name))
    }
  }
  for (const [name, byKind] of holders) {
    const relativePath = prefix + name
    const [first, second] = byKind.file ?? []
    if (first !== undefined && second !== undefined && !exclude(relativePath, 'file')) {
      throw collision(relativePath, first, second)
    }
    if (exclude(relativePath, 'directory')) continue
    await refuseSharedFiles(byKind.directory ?? [], `${relativePath}/`, exclude)
  }
}

async function lookAt(input: string, stdinName: string | null): Promise<Input | null> {
  if (input === '-' && stdinName !== null) return {kind: 'stdin', localPath: '-', relativePath: stdinName}
  try {
    const stats = await stat(input)
    if (stats.isDirectory()) return {kind: 'directory', localPath: input}
    if (!stats.isFile()) {
      return {
        kind: 'unreadable',
        localPath: input,
        reason: 'It is no regular file; to send a stream, name it -.',
      }
    }
    return {kind: 'file', localPath: input, relativePath: path.basename(input), sizeBytes: stats.size}
  } catch (thrown) {
    const code = errno(thrown)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    return {kind: 'unreadable', localPath: input, reason: `Cannot look at it: ${reasonOf(thrown)}.`}
  }
}

/** A directory that cannot be read is reported when it is listed. */
async function entriesOf(directory: string): Promise<readonly Entry[]> {
  return listDirectory(directory).then(
    ({entries}) => entries,
    () => [],
  )
}

async function isFile(localPath: string): Promise<boolean> {
  return lstat(localPath).then(
    (stats) => stats.isFile(),
    () => false,
  )
}

function collision(relativePath: string, first: string, second: string): StreamtoolError {
  return new StreamtoolError(
    'INPUT_COLLISION',
    `${first} and ${second} would both be ${relativePath} on the topic: one would replace the other.`,
    {
      facts: {path: relativePath},
      suggestions: [
        'Upload them one after the other, each with its own --path-prefix.',
        'Name a directory that holds both: paths are relative to the directory given.',
      ],
    },
  )
}
