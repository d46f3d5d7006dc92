/** `.streamtool/`: where streamtool keeps its own state below an output directory. Its owner's alone. */
import {lstat, mkdir} from 'node:fs/promises'
import path from 'node:path'
import {STATE_DIRECTORY} from '../../core/chunk/paths.js'
import {StreamtoolError} from '../../core/errors.js'
import {naming} from './storage-error.js'

/**
 * Makes the output directory and its state directory, unless they are there.
 * @returns the state directory
 * @throws STORAGE_FORBIDDEN also when something that is no directory stands in its place: what is written below it
 *   must not end up where a link leads
 */
export async function openStateDirectory(outputDirectory: string): Promise<string> {
  const directory = path.join(outputDirectory, STATE_DIRECTORY)
  await naming('create', directory, async () => {
    await mkdir(outputDirectory, {recursive: true})
    // Not chmod'ed later: that would clear a set-group-ID bit which the files are to inherit.
    await mkdir(directory, {mode: 0o700}).catch(ignoreExisting)
    if ((await lstat(directory)).isDirectory()) return
    throw new StreamtoolError('STORAGE_FORBIDDEN', `${directory} is not a directory.`, {
      facts: {path: directory},
      suggestions: ['Remove it, or choose another output directory.'],
    })
  })
  return directory
}

function ignoreExisting(thrown: unknown): void {
  if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
}
