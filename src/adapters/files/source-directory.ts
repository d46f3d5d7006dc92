/** What a directory of the user holds, as far as it can be sent. */
import {readdir} from 'node:fs/promises'
import {STATE_DIRECTORY} from '../../core/chunk/paths.js'

export interface Entry {
  readonly name: string
  /** `other`: a FIFO, a socket, a device. */
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

export interface Listing {
  /** In the order of their names, so that every run lists alike. */
  readonly entries: readonly Entry[]
  /** Names that are not valid UTF-8, with the offending bytes written as `\xff`. */
  readonly unsendable: readonly string[]
}

/** Node puts this character for bytes that are not UTF-8. A name may also rightly hold it. */
const REPLACEMENT = '\ufffd'

export async function listDirectory(directory: string): Promise<Listing> {
  const dirents = await readdir(directory, {withFileTypes: true})
  const doubtful = dirents.some(({name}) => name.includes(REPLACEMENT))
  const unsendable = doubtful ? await namesOutsideUtf8(directory) : []
  const shownByNode = new Set(unsendable.map((name) => name.toString()))
  const entries = dirents
    .filter(({name}) => name !== STATE_DIRECTORY && !shownByNode.has(name))
    .map((dirent): Entry => ({name: dirent.name, kind: kindOf(dirent)}))
  return {entries: entries.sort(byName), unsendable: unsendable.map(escaped).sort()}
}

async function namesOutsideUtf8(directory: string): Promise<Buffer[]> {
  const names = await readdir(directory, {encoding: 'buffer'})
  return names.filter((name) => !Buffer.from(name.toString()).equals(name))
}

function escaped(name: Buffer): string {
  let shown = ''
  for (const character of name.toString('latin1')) {
    const code = character.charCodeAt(0)
    shown += code >= 0x20 && code < 0x7f ? character : `\\x${code.toString(16).padStart(2, '0')}`
  }
  return shown
}

function kindOf(dirent: {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}): Entry['kind'] {
  if (dirent.isFile()) return 'file'
  if (dirent.isDirectory()) return 'directory'
  return dirent.isSymbolicLink() ? 'link' : 'other'
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : 1
}
