/** `streamtool new …`: packages made of templates/. */
import {existsSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {StreamtoolError} from '../core/errors.js'
import {builtinProcessorNames, writeFromTemplate} from './compose.js'
import {packageRoot} from './plugins/stand-in.js'

const LONGEST_NAME = 60

/**
 * @param where the directory of the package is made here
 * @throws USAGE for a name that cannot be one, or a directory that is there already
 */
export async function newProcessor(name: string, where: string, version: string) {
  await checkName(name)
  const directory = join(where, name)
  const template = join(packageRoot, 'templates', 'processor')
  const files = await writeFromTemplate(template, directory, {name, version, source: sourceOf(version)})
  return {name, directory, files}
}

/** What npm is asked for. A checkout stands for itself: its version may be in no registry. */
function sourceOf(version: string): string {
  const isCheckout = existsSync(join(packageRoot, 'tsconfig.build.json'))
  return isCheckout ? `file:${resolve(packageRoot)}` : `^${version}`
}

async function checkName(name: string): Promise<void> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > LONGEST_NAME)
    throw new StreamtoolError('USAGE', 'That cannot be the name of a processor.', {
      suggestions: [
        `Lower-case letters, digits and single dashes, beginning with a letter, ${LONGEST_NAME} at most: xrd-plot`,
      ],
    })
  const taken = ['streamtool', ...(await builtinProcessorNames())]
  if (taken.includes(name))
    throw new StreamtoolError(
      'USAGE',
      `${name} comes with streamtool; a processor of that name would never be found.`,
    )
}
