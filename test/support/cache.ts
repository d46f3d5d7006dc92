import {existsSync} from 'node:fs'
import {mkdir, open, readFile, rm, writeFile} from 'node:fs/promises'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {eventually} from './eventually.js'

const BUILD_MS = 280_000

/**
 * A directory that is built once and kept outside the tree, under `$XDG_CACHE_HOME` or `~/.cache`. It is built
 * in its place, since some things (Python environments) cannot be moved, and counts once a marker is in it.
 */
export async function cached(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const root = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'streamtool-test')
  const directory = join(root, name)
  const marker = join(directory, '.complete')
  if (existsSync(marker)) return directory

  await mkdir(root, {recursive: true})
  const lock = join(root, `${name}.lock`)
  await eventually(`${lock} is free`, () => takeLock(lock), BUILD_MS)
  try {
    if (existsSync(marker)) return directory
    await rm(directory, {recursive: true, force: true})
    await mkdir(directory, {recursive: true})
    await build(directory)
    await writeFile(marker, '')
    return directory
  } finally {
    await rm(lock, {force: true})
  }
}

/** A lock file names its process; that of a process which is gone is broken. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch {
    const holder = Number(await readFile(lock, 'utf8').catch(() => '0'))
    if (holder > 0 && !isAlive(holder)) await rm(lock, {force: true})
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
