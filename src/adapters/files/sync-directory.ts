import {calls, OpenFlags} from '../system/calls.js'
import {errno, naming} from '../system/storage-error.js'

/** File systems that cannot sync a directory say so in one of these ways. */
const CANNOT_SYNC: ReadonlySet<string | null> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Makes durable what was created in, renamed into or removed from the directory. */
export async function syncDirectory(location: string): Promise<void> {
  // Windows has no such thing: there the rename itself is journalled.
  if (process.platform === 'win32') return
  await naming('sync', location, async () => {
    const descriptor = await calls.open(location, OpenFlags.directory)
    try {
      await calls.fsync(descriptor)
    } catch (thrown) {
      if (!CANNOT_SYNC.has(errno(thrown))) throw thrown
    } finally {
      await calls.close(descriptor)
    }
  })
}
