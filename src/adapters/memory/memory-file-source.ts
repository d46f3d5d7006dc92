/** Files that exist in memory only: for tests of what sends, and for content that a program makes. */
import {StreamtoolError} from '../../core/errors.js'
import type {FileSource, SourceFile, SourceProblem, SourceReader} from '../../core/ports/index.js'

interface Version {
  readonly content: Buffer
  readonly mtimeMs: number
  readonly inode: string
}

export interface MemoryFileSource extends FileSource {
  /** Adds a file, or changes it in place: whoever reads it meanwhile sees the new content. */
  put(path: string, content: Buffer, mtimeMs?: number): void
  /** Listing goes on, opening fails. */
  remove(path: string): void
  addProblem(problem: SourceProblem): void
  /** Readers not closed yet. */
  readonly openReaders: number
}

export function createMemoryFileSource(files: Readonly<Record<string, Buffer>> = {}): MemoryFileSource {
  const versions = new Map<string, Version | null>()
  const problems: SourceProblem[] = []
  let inodes = 0
  let openReaders = 0

  const current = (path: string): Version => {
    const version = versions.get(path)
    if (version) return version
    throw new StreamtoolError('FILE_UNREADABLE', `Cannot read ${path}: it is gone.`, {facts: {path}})
  }
  const reader = (path: string): SourceReader => {
    openReaders += 1
    let isOpen = true
    return {
      async identify() {
        const {content, mtimeMs, inode} = current(path)
        return {sizeBytes: content.length, mtimeMs, inode}
      },
      async read(buffer, position) {
        return current(path).content.subarray(position).copy(buffer)
      },
      async close() {
        if (isOpen) openReaders -= 1
        isOpen = false
      },
    }
  }
  const sourceFile = (path: string): SourceFile => ({
    path,
    localPath: path,
    sizeBytes: versions.get(path)?.content.length ?? 0,
    async open() {
      current(path)
      return reader(path)
    },
  })

  const source: MemoryFileSource = {
    put(path, content, mtimeMs = 1_700_000_000_000) {
      const inode = versions.get(path)?.inode ?? String((inodes += 1))
      versions.set(path, {content, mtimeMs, inode})
    },
    remove: (path) => versions.set(path, null),
    addProblem: (problem) => problems.push(problem),
    get openReaders() {
      return openReaders
    },
    async *list() {
      yield* problems
      for (const path of [...versions.keys()].sort()) yield sourceFile(path)
    },
  }
  for (const [path, content] of Object.entries(files)) source.put(path, content)
  return source
}
