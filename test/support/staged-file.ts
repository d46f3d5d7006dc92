import {createReadStream} from 'node:fs'
import {mkdir, stat, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import type {StagedFile} from '../../src/core/ports/index.js'

/** A file below the directory, under its own name. */
export async function stagedFile(
  directory: string,
  path: string,
  content: Buffer | string,
): Promise<StagedFile> {
  const localPath = join(directory, basename(path))
  await mkdir(dirname(localPath), {recursive: true})
  await writeFile(localPath, content)
  return stagedPath(localPath)
}

export async function stagedPath(localPath: string): Promise<StagedFile> {
  return {
    sizeBytes: (await stat(localPath)).size,
    localPath,
    content: null,
    read: (signal) => createReadStream(localPath, {signal}) as AsyncIterable<Buffer>,
    release: async () => undefined,
  }
}

export function stagedInMemory(content: Buffer): StagedFile {
  return {
    sizeBytes: content.length,
    localPath: null,
    content,
    async *read() {
      yield content
    },
    release: async () => undefined,
  }
}
