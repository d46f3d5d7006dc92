import {createHash} from 'node:crypto'
import type {IncomingFile} from '../../src/core/ports/index.js'
import {joinWirePath, splitWirePath} from '../../src/core/chunk/index.js'

export type IncomingFileFacts = Partial<
  Omit<IncomingFile, 'order' | 'path'> & {
    partition: number
    offset: number
    timestampMs: number
    orderMtimeMs: number | null
  }
>

/** A file as the engine would announce it; everything that is not given has an ordinary value. */
export function incomingFile(path: string, content: Buffer, facts: IncomingFileFacts = {}): IncomingFile {
  const {partition = 0, offset = 0, timestampMs = 1_700_000_000_000, orderMtimeMs = null, ...rest} = facts
  const {subdir, name} = splitWirePath(path)
  return {
    topic: 'files',
    path: joinWirePath(subdir, name),
    subdir,
    name,
    sha512: createHash('sha512').update(content).digest(),
    chunkCount: 1,
    sizeBytes: content.length,
    mtimeMs: null,
    uploadId: null,
    crc32: null,
    order: {partition, offset, timestampMs, mtimeMs: orderMtimeMs},
    firstChunkMs: timestampMs,
    metadata: {},
    ...rest,
  }
}
