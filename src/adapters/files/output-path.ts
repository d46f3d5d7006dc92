/** The last check of a path from the wire before it becomes a path of this machine. */
import {checkPath} from '../../core/chunk/paths.js'
import {StreamtoolError} from '../../core/errors.js'

/** On Windows these separate paths, name streams and devices, or are cut off silently. */
const NOT_ON_WINDOWS = /[<>:"\\|?*\u0001-\u001f]|[. ]$/
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/**
 * @returns the components, each an ordinary file name
 * @throws FILE_NAME_CONFLICT
 */
export function outputComponents(wirePath: string, platform: NodeJS.Platform = process.platform): string[] {
  const problem = checkPath(wirePath) ?? (platform === 'win32' ? checkForWindows(wirePath) : null)
  if (problem === null) return wirePath.split('/')
  throw new StreamtoolError(
    'FILE_NAME_CONFLICT',
    `No file is written as ${JSON.stringify(wirePath)}: ${problem}.`,
    {
      facts: {path: wirePath},
      suggestions: ['Upload the file under another name.'],
    },
  )
}

function checkForWindows(wirePath: string): string | null {
  for (const component of wirePath.split('/')) {
    if (NOT_ON_WINDOWS.test(component)) return 'Windows does not allow such a name'
    if (WINDOWS_DEVICE.test(component)) return 'it is the name of a device on Windows'
  }
  return null
}
