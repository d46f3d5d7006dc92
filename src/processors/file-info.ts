import type {IncomingFile} from '../core/ports/index.js'
import {uploadKey} from '../core/reassembly/index.js'
import type {FileInfo} from './contract.js'

export function fileInfo(file: IncomingFile, sizeBytes: number, attempt: number): FileInfo {
  const {topic, path, subdir, name, sha512, mtimeMs, chunkCount, metadata} = file
  return {
    topic,
    path,
    subdir,
    name,
    size: sizeBytes,
    sha512: sha512.toString('hex'),
    mtime: dateOf(mtimeMs),
    chunks: chunkCount,
    attempt,
    idempotencyKey: uploadKey(file),
    metadata,
  }
}

/** Times come from anybody, and Date cannot hold all of them. */
function dateOf(timeMs: number | null): Date | null {
  const date = timeMs === null ? null : new Date(timeMs)
  return date === null || Number.isNaN(date.getTime()) ? null : date
}
