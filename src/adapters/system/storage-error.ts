/** What the operating system said of a file or directory, as one of the error family. */
import {type ErrorCode, StreamtoolError} from '../../core/errors.js'

interface Meaning {
  readonly code: ErrorCode
  readonly says: string
  readonly suggestion: string
}

const NAME_CONFLICT = 'FILE_NAME_CONFLICT'
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENAMETOOLONG: {
    code: NAME_CONFLICT,
    says: 'the name is too long for this file system',
    suggestion: 'Upload the file under a shorter name.',
  },
  EISDIR: {
    code: NAME_CONFLICT,
    says: 'a directory has this name',
    suggestion: 'Move the directory away, or choose another output directory.',
  },
  ENOTDIR: {
    code: NAME_CONFLICT,
    says: 'a part of the path is a file, not a directory',
    suggestion: 'Move that file away, or choose another output directory.',
  },
  EEXIST: {
    code: NAME_CONFLICT,
    says: 'something else has this name',
    suggestion: 'Move it away, or choose another output directory.',
  },
  ENOTEMPTY: {
    code: NAME_CONFLICT,
    says: 'a directory has this name',
    suggestion: 'Move the directory away, or choose another output directory.',
  },
  ENOSPC: {code: 'STORAGE_FULL', says: 'no space is left on the disk', suggestion: 'Free some space.'},
  EDQUOT: {code: 'STORAGE_FULL', says: 'the disk quota is used up', suggestion: 'Free some space.'},
  EACCES: {
    code: 'STORAGE_FORBIDDEN',
    says: 'permission denied',
    suggestion: 'Let the user that runs streamtool write there.',
  },
  EPERM: {
    code: 'STORAGE_FORBIDDEN',
    says: 'the operation is not permitted',
    suggestion: 'Let the user that runs streamtool write there.',
  },
  EROFS: {
    code: 'STORAGE_FORBIDDEN',
    says: 'the file system is read-only',
    suggestion: 'Mount it for writing, or choose another directory.',
  },
}

export function errno(thrown: unknown): string | null {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : null
}

/**
 * @param action what was tried, to be read after "Cannot": `write`, `create`, `lock`
 * @returns FILE_NAME_CONFLICT, STORAGE_FULL, STORAGE_FORBIDDEN, or STORAGE_FAILED for everything else the operating
 *   system answers; what is no answer of the operating system is returned as it is
 */
export function storageError(thrown: unknown, action: string, path: string): Error {
  const code = errno(thrown)
  if (!(thrown instanceof Error)) return new Error(String(thrown))
  if (thrown instanceof StreamtoolError || code === null) return thrown
  const meaning = MEANINGS[code]
  const says = meaning?.says ?? thrown.message
  return new StreamtoolError(
    meaning?.code ?? 'STORAGE_FAILED',
    `Cannot ${action} ${path}: ${says} (${code}).`,
    {
      facts: {path, errno: code},
      suggestions: meaning
        ? [meaning.suggestion]
        : ['Look at the disk and the system log; it is tried again.'],
      cause: thrown,
    },
  )
}

/** What `link` fails with on file systems that have no hard links. */
export const HAS_NO_LINKS: ReadonlySet<string | null> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** What a descriptor answers that is good for nothing any more: the file server or the disk went away behind it. */
const STALE: ReadonlySet<unknown> = new Set(['ESTALE', 'EIO', 'ENODEV', 'ENXIO', 'ENOTCONN', 'ESHUTDOWN'])

/** Whether to open the file again, by its name, before the next attempt. */
export function isStale(thrown: unknown): boolean {
  return STALE.has(thrown instanceof StreamtoolError ? thrown.facts['errno'] : errno(thrown))
}

/** Runs file system calls, and gives what they throw its meaning. */
export function naming<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  return work().catch((thrown: unknown) => {
    throw storageError(thrown, action, path)
  })
}
