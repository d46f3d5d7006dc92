/** A local file to be sent. */
import {StreamtoolError} from '../../core/errors.js'
import type {FileIdentity, SourceFile, SourceReader} from '../../core/ports/index.js'
import {calls, OpenFlags, readFully} from '../system/calls.js'
import {errno} from '../system/storage-error.js'

export interface FoundFile {
  /** On the wire. */
  readonly path: string
  readonly localPath: string
  readonly sizeBytes: number
  /** Only for what the user named: below a directory, a file that has become a link is not what was listed. */
  readonly followLinks: boolean
}

export function sourceFile(found: FoundFile): SourceFile {
  const {path, localPath, sizeBytes} = found
  return {path, localPath, sizeBytes, open: () => openReader(found)}
}

async function openReader({localPath, followLinks}: FoundFile): Promise<SourceReader> {
  const descriptor = await orUnreadable(localPath, () =>
    calls.open(localPath, followLinks ? OpenFlags.read : OpenFlags.readNoFollow),
  )
  try {
    const stats = await orUnreadable(localPath, () => calls.fstat(descriptor))
    if (!stats.isFile()) throw unreadable(localPath, 'it is no regular file any more', null)
  } catch (thrown) {
    await calls.close(descriptor)
    throw thrown
  }
  return descriptorReader(descriptor, localPath, () => calls.close(descriptor))
}

export function descriptorReader(
  descriptor: number,
  localPath: string,
  close: () => Promise<void>,
): SourceReader {
  return {
    identify: () => orUnreadable(localPath, () => identify(descriptor)),
    read: (buffer, position) => orUnreadable(localPath, () => readFully(descriptor, buffer, position)),
    close,
  }
}

async function identify(descriptor: number): Promise<FileIdentity> {
  const {size, mtimeNs, ino} = await calls.fstatBig(descriptor)
  // As a float: what is below a millisecond counts, or a file rewritten twice in one would look the same.
  return {sizeBytes: Number(size), mtimeMs: Number(mtimeNs) / 1e6, inode: String(ino)}
}

/** What the operating system says of a file that is to be read. */
export function reasonOf(thrown: unknown): string {
  const code = errno(thrown)
  if (code === 'EACCES' || code === 'EPERM') return `permission denied (${code})`
  if (code === 'ENOENT') return 'it is gone (ENOENT)'
  if (code === 'ELOOP') return 'it is a symbolic link now, or a circle of them (ELOOP)'
  return thrown instanceof Error ? thrown.message : String(thrown)
}

async function orUnreadable<T>(localPath: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw unreadable(localPath, reasonOf(thrown), thrown)
  }
}

function unreadable(localPath: string, reason: string, cause: unknown): StreamtoolError {
  return new StreamtoolError('FILE_UNREADABLE', `Cannot read ${localPath}: ${reason}.`, {
    facts: {path: localPath},
    ...(cause === null ? {} : {cause}),
  })
}
