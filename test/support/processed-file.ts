import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {splitWirePath} from '../../src/core/chunk/index.js'
import {Semaphore} from '../../src/core/flow/index.js'
import type {
  FileInfo,
  FlagDefinitions,
  OptionsOf,
  ProcessedFile,
  ProcessorContext,
  ResultRecord,
} from '../../src/processors/contract.js'
import {recordedLog} from './quiet.js'

/** Facts of a file; everything that is not given has an ordinary value. */
export function fileInfo(
  path: string,
  content: Buffer | string = '',
  facts: Partial<FileInfo> = {},
): FileInfo {
  const {subdir, name} = splitWirePath(path)
  const sha512 = createHash('sha512').update(content).digest('hex')
  return {
    topic: 'files',
    path,
    subdir,
    name,
    size: Buffer.byteLength(content),
    sha512,
    mtime: null,
    chunks: 1,
    attempt: 1,
    idempotencyKey: sha512.slice(0, 32),
    metadata: {},
    ...facts,
  }
}

/** In memory. */
export function processedFile(
  path: string,
  content: Buffer | string,
  facts: Partial<FileInfo> = {},
): ProcessedFile {
  const bytes = Buffer.from(content)
  return {
    ...fileInfo(path, content, facts),
    bytes: async () => bytes,
    stream: () => Readable.from([bytes]),
    localPath: null,
  }
}

/** As a host gives it to one attempt; `produced` keeps what was sent. */
export function processorContext<Flags extends FlagDefinitions>(
  outputDir: string,
  options: OptionsOf<Flags>,
): ProcessorContext<Flags> & {produced: ResultRecord[]} {
  const produced: ResultRecord[] = []
  const turns = new Semaphore(1)
  return {
    options,
    outputDir,
    log: recordedLog(),
    // One for each attempt.
    get signal() {
      return new AbortController().signal
    },
    lock: (work) => turns.run(async () => work()),
    produce: async (record) => void produced.push(record),
    produced,
  }
}
