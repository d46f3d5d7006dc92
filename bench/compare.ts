/** Nothing counts as measured before every byte of its result is compared with what was sent. */
import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import {open, readdir, type FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import {decode} from '@msgpack/msgpack'
import {collect, diesWithUs, ended} from '../test/support/processes.js'
import type {InputFile, InputFiles} from './input-files.js'
import type {Store} from './store.js'

const BLOCK_BYTES = 1024 * 1024

/** @throws by name the first file that is missing, too many, or different */
export async function compareDirectory(input: InputFiles, output: string, ignored: RegExp): Promise<void> {
  for (const {path, bytes} of input.files)
    await withFile(join(input.directory, path), (sent) =>
      withFile(join(output, path), async (received) => {
        if ((await received.stat()).size !== bytes) throw new Error(`${path}: another size than was sent`)
        for (let at = 0; at < bytes; at += BLOCK_BYTES)
          if (!(await readAt(sent, at, BLOCK_BYTES)).equals(await readAt(received, at, BLOCK_BYTES)))
            throw new Error(`${path}: other bytes than were sent, after ${at}`)
      }),
    )
  const found = (await readdir(output, {recursive: true, withFileTypes: true}))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(output.length + 1))
    .filter((path) => !ignored.test(path))
  if (found.length !== input.files.length)
    throw new Error(`${found.length} files, ${input.files.length} sent`)
}

/**
 * Reads every object of a bucket back.
 * @throws by name the first one that is missing, too many, or different
 */
export async function compareBucket(
  {directory, files}: InputFiles,
  store: Store,
  bucket: string,
  prefix: string,
): Promise<void> {
  const keys = new Set(await store.keys(bucket))
  for (const {path, bytes} of files) {
    const key = `${prefix}/${path}`
    if (!keys.delete(key)) throw new Error(`${key} is not in the bucket`)
    await withFile(join(directory, path), async (sent) => {
      let at = 0
      for await (const piece of await store.read(bucket, key)) {
        if (!(await readAt(sent, at, piece.length)).equals(piece))
          throw new Error(`${key}: other bytes than were sent, after ${at}`)
        at += piece.length
      }
      if (at !== bytes) throw new Error(`${key}: ${at} of ${bytes} bytes are in the bucket`)
    })
  }
  for (const key of keys) throw new Error(`${key} is in the bucket and was not sent`)
}

/**
 * Reads a topic with kcat, decodes its chunks with a public msgpack package, and compares each with the bytes of
 * its file at its place.
 * @throws by name the first file that is incomplete or different
 */
export async function compareTopic(input: InputFiles, bootstrap: string, topic: string): Promise<void> {
  const files = new Map(input.files.map((file) => [file.path, {file, offsets: new Set<number>(), bytes: 0}]))
  for await (const value of recordValues(bootstrap, topic)) {
    const {path, offset, data} = readChunk(value)
    const entry = files.get(path)
    if (entry === undefined) throw new Error(`${path} is on the topic and was not sent`)
    if (entry.offsets.has(offset)) continue
    const sent = await withFile(join(input.directory, path), (file) => readAt(file, offset, data.length))
    if (!sent.equals(data)) throw new Error(`${path}: other bytes than were sent, at ${offset}`)
    entry.offsets.add(offset)
    entry.bytes += data.length
  }
  for (const {file, bytes} of files.values()) expectWhole(file, bytes)
}

/** @throws when the topics do not hold the same values, each as often */
export async function compareTopics(bootstrap: string, input: string, output: string): Promise<void> {
  const [sent, received] = [await digests(bootstrap, input), await digests(bootstrap, output)]
  if (received.length !== sent.length) throw new Error(`${received.length} records, ${sent.length} sent`)
  if (received.some((digest, i) => digest !== sent[i])) throw new Error('other records than were sent')
}

async function digests(bootstrap: string, topic: string): Promise<string[]> {
  const found: string[] = []
  for await (const value of recordValues(bootstrap, topic))
    found.push(createHash('sha1').update(value).digest('base64'))
  return found.sort()
}

function expectWhole(file: InputFile, bytes: number): void {
  if (bytes !== file.bytes) throw new Error(`${file.path}: ${bytes} of ${file.bytes} bytes are on the topic`)
}

function readChunk(value: Buffer): {path: string; offset: number; data: Uint8Array} {
  const fields = decode(value) as [
    string,
    Uint8Array,
    Uint8Array,
    number,
    number,
    number,
    string,
    string,
    Uint8Array,
  ]
  const [name, , , offset, , , subdir, , data] = fields
  return {path: join(subdir, name), offset, data}
}

async function* recordValues(bootstrap: string, topic: string): AsyncGenerator<Buffer> {
  const args = ['-C', '-q', '-e', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-f', '%S\\n%s']
  const kcat = spawn('kcat', args, {stdio: ['ignore', 'pipe', 'pipe']})
  diesWithUs(kcat)
  const gone = ended(kcat)
  const complaint = collect(kcat.stderr)
  let pending: Buffer = Buffer.alloc(0)
  for await (const part of kcat.stdout as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, part])
    for (;;) {
      const lineEnd = pending.indexOf('\n')
      if (lineEnd === -1) break
      const end = lineEnd + 1 + Number(pending.toString('latin1', 0, lineEnd))
      if (pending.length < end) break
      yield pending.subarray(lineEnd + 1, end)
      pending = pending.subarray(end)
    }
  }
  const [exitCode] = await gone
  if (exitCode !== 0 || pending.length > 0) throw new Error(`kcat: ${complaint().toString()}`)
}

async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, offset: number, count: number): Promise<Buffer> {
  const {buffer, bytesRead} = await file.read(Buffer.allocUnsafe(count), 0, count, offset)
  return buffer.subarray(0, bytesRead)
}
