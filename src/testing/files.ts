/** Contents as a processor finds them. */
import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {splitWirePath} from '../core/chunk/index.js'
import type {StagedFile} from '../core/ports/index.js'
import type {FileInfo} from '../processors/contract.js'

/** As `--mode`: `localPath` is null in `memory`. */
export type TestMode = 'memory' | 'disk' | 'both'

export function infoOf(
  path: string,
  content: Buffer,
  facts: Pick<FileInfo, 'topic' | 'metadata' | 'attempt'>,
): FileInfo {
  const sha512 = createHash('sha512').update(content).digest('hex')
  return {
    ...facts,
    path,
    ...splitWirePath(path),
    size: content.length,
    sha512,
    mtime: new Date(0),
    chunks: 1,
    idempotencyKey: createHash('sha512').update(`${path}\0${sha512}`).digest('hex').slice(0, 32),
  }
}

export async function stage(path: string, content: Buffer, mode: TestMode): Promise<StagedFile> {
  const directory = mode === 'memory' ? null : await mkdtemp(join(tmpdir(), 'streamtool-testing-'))
  const localPath = directory === null ? null : join(directory, splitWirePath(path).name)
  if (localPath !== null) await writeFile(localPath, content)
  return {
    sizeBytes: content.length,
    localPath,
    content: mode === 'disk' ? null : content,
    read: (signal) =>
      localPath === null ? pieces(content) : (createReadStream(localPath, {signal}) as AsyncIterable<Buffer>),
    release: async () => {
      if (directory !== null) await rm(directory, {recursive: true, force: true})
    },
  }
}

const PIECE_BYTES = 64 * 1024

/** Several, so that whoever reads the first one only is found out. */
async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield content.subarray(at, at + PIECE_BYTES)
}
