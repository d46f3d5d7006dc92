/** A new package, made of a directory of files in which names stand in braces: `{{name}}`. */
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {errno, naming} from '../system/storage-error.js'

/** npm leaves these out of a package, or makes something else of them. */
const STORED_AS: Readonly<Record<string, string>> = {gitignore: '.gitignore'}

/**
 * @param target must not be there yet
 * @returns what was written, relative to the target
 * @throws USAGE when something is there; STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function writeFromTemplate(
  template: string,
  target: string,
  names: Readonly<Record<string, string>>,
): Promise<string[]> {
  await naming('create', target, () => makeNew(target))
  const entries = await readdir(template, {recursive: true, withFileTypes: true})
  const written: string[] = []
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const within = entry.parentPath.slice(template.length).replace(/^[/\\]/, '')
    const path = join(within, STORED_AS[entry.name] ?? entry.name)
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8')
    await naming('write', join(target, path), async () => {
      await mkdir(join(target, dirname(path)), {recursive: true})
      await writeFile(join(target, path), filledIn(text, names), {flag: 'wx'})
    })
    written.push(path)
  }
  return written.sort()
}

async function makeNew(target: string): Promise<void> {
  try {
    await mkdir(target)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
    throw new StreamtoolError('USAGE', `There is a ${target} already; nothing was written.`, {
      suggestions: ['Choose another name, or another working directory.'],
    })
  }
}

const filledIn = (text: string, names: Readonly<Record<string, string>>): string =>
  text.replace(/\{\{(\w+)\}\}/g, (written, name: string) => names[name] ?? written)
