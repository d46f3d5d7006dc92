/** A staged file as `process` sees it. What it is given is its own: no attempt spoils the content for the next one. */
import {Readable} from 'node:stream'
import {StreamtoolError} from '../../core/errors.js'
import type {StagedFile} from '../../core/ports/index.js'
import type {FileInfo, ProcessedFile} from '../contract.js'

/** What a Buffer can hold on every Node that we run on, and more than anybody wants in memory. */
export const MOST_BYTES_IN_MEMORY = 2 ** 31

export interface OpenedFile {
  readonly file: ProcessedFile
  /** No stream stays open, and no further one can be opened. */
  close(): void
}

export function openProcessedFile(info: FileInfo, content: StagedFile, signal: AbortSignal): OpenedFile {
  const streams = new Set<Readable>()
  let isClosed = false
  let whole: Promise<Buffer> | null = null

  const pieces = async function* () {
    for await (const piece of content.read(signal))
      yield content.content === null ? piece : Buffer.from(piece)
  }
  const throwIfClosed = () => {
    if (isClosed)
      throw new Error(`${info.path} is read after its attempt has ended: await all reading in process()`)
  }
  const file: ProcessedFile = {
    ...info,
    localPath: content.localPath,
    bytes: async () => {
      throwIfClosed()
      return (whole ??= wholeContent(info, content, signal))
    },
    stream: () => {
      throwIfClosed()
      const stream = Readable.from(pieces(), {objectMode: false})
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
      return stream
    },
  }
  const destroyAll = () => {
    for (const stream of streams) stream.destroy()
  }
  signal.addEventListener('abort', destroyAll, {once: true})
  return {
    file,
    close: () => {
      isClosed = true
      signal.removeEventListener('abort', destroyAll)
      destroyAll()
    },
  }
}

async function wholeContent(info: FileInfo, content: StagedFile, signal: AbortSignal): Promise<Buffer> {
  const {sizeBytes} = content
  if (sizeBytes > MOST_BYTES_IN_MEMORY)
    throw new StreamtoolError(
      'FILE_TOO_LARGE_FOR_MEMORY',
      `${info.path} has ${sizeBytes} bytes; bytes() reads ${MOST_BYTES_IN_MEMORY} at most.`,
      {
        facts: {path: info.path, sizeBytes},
        suggestions: ['Read it with file.stream(), or from file.localPath.'],
      },
    )
  if (content.content !== null) return Buffer.from(content.content)
  const whole = Buffer.allocUnsafeSlow(sizeBytes)
  let filled = 0
  for await (const piece of content.read(signal)) filled += piece.copy(whole, filled)
  if (filled !== sizeBytes)
    throw new Error(`${info.path}: ${filled} of ${sizeBytes} bytes could be read from where it is staged`)
  return whole
}
