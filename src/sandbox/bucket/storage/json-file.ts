import {readFileSync, renameSync, writeFileSync} from 'node:fs'

/**
 * Replaces the file as a whole: the death of the process leaves the old or the new one. It is not synced: a bucket for
 * trying out outlives its process, not the power.
 */
export function writeJsonFile(path: string, content: object): void {
  const next = `${path}.next`
  writeFileSync(next, JSON.stringify(content))
  renameSync(next, path)
}

/** Null when there is none. What is in it is of our own writing. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`${path} is not what the sandbox writes there`, {cause: thrown})
  }
}
