/** Small files that other processes see complete or not at all. */
import {randomUUID} from 'node:crypto'
import {link, readFile, rename, unlink, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {errno, HAS_NO_LINKS} from './storage-error.js'

/**
 * Creates a file with this content, of several processes at once in one of them. Where hard links are impossible
 * the others may see it empty for a moment.
 * @returns false when the file exists already
 */
export async function createWhole(file: string, content: string): Promise<boolean> {
  const temporary = temporaryBeside(file)
  try {
    await writeFile(temporary, content, {flag: 'wx', mode: 0o600, flush: true})
    return await unlessThere(link(temporary, file))
  } catch (thrown) {
    if (!HAS_NO_LINKS.has(errno(thrown))) throw thrown
    return await unlessThere(writeFile(file, content, {flag: 'wx', mode: 0o600, flush: true}))
  } finally {
    await unlinkIfThere(temporary)
  }
}

export async function replaceWhole(file: string, content: string): Promise<void> {
  const temporary = temporaryBeside(file)
  await writeFile(temporary, content, {flag: 'wx', mode: 0o600})
  await rename(temporary, file)
}

export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return null
    throw thrown
  }
}

export async function unlinkIfThere(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (thrown) {
    if (errno(thrown) !== 'ENOENT') throw thrown
  }
}

function temporaryBeside(file: string): string {
  return path.join(path.dirname(file), `${randomUUID()}.new`)
}

async function unlessThere(creation: Promise<void>): Promise<boolean> {
  try {
    await creation
    return true
  } catch (thrown) {
    if (errno(thrown) === 'EEXIST') return false
    throw thrown
  }
}
