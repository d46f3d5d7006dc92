/** A table for other programs, as a file. */
import {appendFile, mkdir, open} from 'node:fs/promises'
import {dirname} from 'node:path'
import type {TableFile} from '../../core/ports/index.js'
import {errno, naming} from '../system/storage-error.js'
import {readIfThere, replaceWhole} from '../system/whole-file.js'

/** Longer than any line: two paths of 4,096 bytes, each byte escaped. */
const LAST_LINE_BYTES = 64 * 1024
const NEWLINE = 0x0a

/** Makes the directory that it is in. @throws STORAGE_FORBIDDEN, STORAGE_FULL, … */
export async function openTableFile(path: string): Promise<TableFile> {
  await naming('create', dirname(path), () => mkdir(dirname(path), {recursive: true}))
  return {
    read: () => naming('read', path, () => readIfThere(path)),
    lastLine: async () => (await lastLine(path))?.text ?? null,
    async dropLastLine() {
      const last = await lastLine(path)
      if (last) await naming('write', path, () => truncate(path, Math.max(0, last.at - 1)))
    },
    replace: (text) => naming('write', path, () => replaceWhole(path, text)),
    append: (text) => naming('write', path, () => appendFile(path, text)),
  }
}

async function lastLine(path: string): Promise<{text: string; at: number} | null> {
  return naming('read', path, async () => {
    const file = await openIfThere(path)
    if (file === null) return null
    try {
      const {size} = await file.stat()
      const start = Math.max(0, size - LAST_LINE_BYTES)
      const end = Buffer.alloc(size - start)
      const {bytesRead} = await file.read(end, 0, end.length, start)
      const lineStart = end.lastIndexOf(NEWLINE, bytesRead - 1) + 1
      return {text: end.toString('utf8', lineStart, bytesRead), at: start + lineStart}
    } finally {
      await file.close()
    }
  })
}

async function openIfThere(path: string) {
  try {
    return await open(path)
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return null
    throw thrown
  }
}

async function truncate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(bytes)
  } finally {
    await file.close()
  }
}
