/** The files that are sent: the same bytes in every run, and such that no compression helps anybody. */
import {createCipheriv} from 'node:crypto'
import {mkdir, open} from 'node:fs/promises'
import {dirname, join} from 'node:path'

const BLOCK_BYTES = 1024 * 1024
const FILES_PER_DIRECTORY = 100

export interface InputSpec {
  readonly count: number
  readonly smallestBytes: number
  readonly largestBytes: number
}

export interface InputFiles {
  readonly directory: string
  readonly files: readonly InputFile[]
  readonly totalBytes: number
}

export interface InputFile {
  /** Relative to the directory. */
  readonly path: string
  readonly bytes: number
}

/** Makes the files; many are spread over sub-directories. */
export async function makeInput(directory: string, spec: InputSpec): Promise<InputFiles> {
  const stream = pseudorandom(`${spec.count} files of ${spec.smallestBytes} to ${spec.largestBytes}`)
  const files: InputFile[] = []
  for (let i = 0; i < spec.count; i++) {
    const bytes = spec.smallestBytes + (stream.number() % (spec.largestBytes - spec.smallestBytes + 1))
    const name = `measurement-${String(i).padStart(5, '0')}.dat`
    const folder = `series-${String(Math.floor(i / FILES_PER_DIRECTORY)).padStart(3, '0')}`
    const path = spec.count > FILES_PER_DIRECTORY ? join(folder, name) : name
    await writePseudorandom(join(directory, path), bytes, stream)
    files.push({path, bytes})
  }
  return {directory, files, totalBytes: files.reduce((sum, {bytes}) => sum + bytes, 0)}
}

async function writePseudorandom(path: string, bytes: number, stream: Pseudorandom): Promise<void> {
  await mkdir(dirname(path), {recursive: true})
  const file = await open(path, 'w')
  try {
    for (let left = bytes; left > 0; left -= BLOCK_BYTES)
      await file.writeFile(stream.bytes(Math.min(left, BLOCK_BYTES)))
  } finally {
    await file.close()
  }
}

/** Only how large they are: {@link recordsFor} makes them when they are sent. */
export function recordSizes({count, smallestBytes}: InputSpec): InputFiles {
  const files = Array.from({length: count}, (_, i) => ({path: `record-${i}`, bytes: smallestBytes}))
  return {directory: '', files, totalBytes: count * smallestBytes}
}

/** A record of random bytes for each of the files, as large as that is. */
export function* recordsFor(files: readonly InputFile[]): Generator<Buffer> {
  const stream = pseudorandom(`${files.length} records`)
  for (const {bytes} of files) yield stream.bytes(bytes)
}

type Pseudorandom = ReturnType<typeof pseudorandom>

function pseudorandom(seed: string) {
  const cipher = createCipheriv('aes-256-ctr', seed.padEnd(32).slice(-32), Buffer.alloc(16))
  const bytes = (count: number) => cipher.update(Buffer.alloc(count))
  return {bytes, number: () => bytes(4).readUInt32BE()}
}
