/**
 * The consumer group of an output directory. It is kept in the directory, so that whoever writes there, from
 * whatever host or container, goes on where the last one stopped.
 */
import path from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {StreamtoolError} from '../../core/errors.js'
import {openStateDirectory} from '../system/state-directory.js'
import {naming} from '../system/storage-error.js'
import {createWhole, readIfThere} from '../system/whole-file.js'

const GROUP_ID = /^[A-Za-z0-9._-]{1,249}$/
/** On file systems without hard links the file can be seen before its content. */
const APPEARS_WITHIN_MS = 1000

/**
 * @param create makes a new id; used when the directory has none. Of several processes that start at once, all get
 *   the same one
 * @throws SETTING_INVALID when the file holds anything but a group id; STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function readOrCreateGroupId(outputDirectory: string, create: () => string): Promise<string> {
  const file = path.join(await openStateDirectory(outputDirectory), 'group')
  return naming('read or create', file, async () => {
    const known = await readIfThere(file)
    if (known !== null) return checked(known === '' ? await whenWritten(file) : known, file)
    const fresh = checked(`${create()}\n`, file)
    if (await createWhole(file, `${fresh}\n`)) return fresh
    return checked(await whenWritten(file), file)
  })
}

async function whenWritten(file: string): Promise<string> {
  for (let waitedMs = 0; waitedMs < APPEARS_WITHIN_MS; waitedMs += 50) {
    const content = await readIfThere(file)
    if (content?.endsWith('\n')) return content
    await delay(50)
  }
  return (await readIfThere(file)) ?? ''
}

function checked(content: string, file: string): string {
  const id = content.endsWith('\n') ? content.slice(0, -1) : content
  if (GROUP_ID.test(id)) return id
  throw new StreamtoolError('SETTING_INVALID', `${file} does not hold the id of a consumer group.`, {
    facts: {path: file},
    suggestions: [
      'Name the group with --group.',
      `Remove ${file}: a new group is made then, which reads the topic from its start.`,
    ],
  })
}
