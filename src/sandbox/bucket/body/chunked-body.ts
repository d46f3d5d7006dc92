/**
 * Bodies in `aws-chunked` form, taken apart as they come:
 *
 *     <size in hex>[;chunk-signature=<64 hex>]\r\n <data> \r\n     once or more
 *     0[;chunk-signature=<64 hex>]\r\n                              the last chunk, empty
 *     <name>:<value>\r\n                                            trailers, when announced
 *     x-amz-trailer-signature:<64 hex>\r\n                          when the chunks are signed
 *     \r\n
 *
 * Lines are limited before they are gathered, and data is passed on as it arrives, never gathered at all. Each chunk
 * but the last has at least 8 KiB, as S3 demands.
 */
import {S3Error} from '../errors.js'
import type {ChunkSignatures} from './chunk-signatures.js'

const SMALLEST_CHUNK_BYTES = 8192
const MAX_LINE_BYTES = 1024
const MAX_TRAILERS = 16
const CHUNK_HEADER = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/
const TRAILER = /^([A-Za-z0-9-]{1,128}):([\x20-\x7e]*)$/
const TRAILER_SIGNATURE = 'x-amz-trailer-signature'

export interface ChunkedBodyOptions {
  /** Null when chunks are not signed. */
  readonly signatures: ChunkSignatures | null
  readonly mayHaveTrailers: boolean
  /** Filled before the last of the body is handed out. */
  readonly trailers: Map<string, string>
}

/** @throws S3Error IncompleteBody, InvalidChunkSizeError, SignatureDoesNotMatch, MalformedTrailerError */
export async function* decodeChunkedBody(
  source: AsyncIterable<Buffer>,
  options: ChunkedBodyOptions,
): AsyncGenerator<Buffer> {
  const input = new LineInput(source)
  try {
    yield* chunks(input, options)
    await readTrailers(input, options)
    if (!(await input.isAtEnd())) throw incomplete('There is more after the end of the last chunk.')
  } finally {
    await input.close()
  }
}

async function* chunks(input: LineInput, {signatures}: ChunkedBodyOptions): AsyncGenerator<Buffer> {
  for (let previousBytes = Infinity; ;) {
    const {size, signature} = parseChunkHeader(await input.line(), signatures !== null)
    if (size > 0 && previousBytes < SMALLEST_CHUNK_BYTES) throw new S3Error('InvalidChunkSizeError')
    previousBytes = size
    for (let left = size; left > 0;) {
      const data = await input.take(left)
      left -= data.length
      signatures?.update(data)
      yield data
    }
    signatures?.endOfChunk(signature)
    if (size === 0) return
    if ((await input.line()) !== '') throw incomplete('A chunk is longer than it says.')
  }
}

function parseChunkHeader(line: string, isSigned: boolean): {size: number; signature: string} {
  const [, size, signature] = CHUNK_HEADER.exec(line) ?? []
  if (size === undefined) throw incomplete('The body is not in aws-chunked form.')
  if ((signature !== undefined) !== isSigned)
    throw new S3Error('SignatureDoesNotMatch', isSigned ? 'A chunk has no signature.' : 'A chunk is signed.')
  return {size: parseInt(size, 16), signature: signature ?? ''}
}

async function readTrailers(input: LineInput, options: ChunkedBodyOptions): Promise<void> {
  const {trailers, signatures} = options
  let signature: string | undefined
  for (let line = await input.line(); line !== ''; line = await input.line()) {
    const [, name, value] = TRAILER.exec(line) ?? []
    const isLate = signature !== undefined
    if (name === undefined || value === undefined || isLate || trailers.size === MAX_TRAILERS)
      throw new S3Error('MalformedTrailerError')
    if (name.toLowerCase() === TRAILER_SIGNATURE) signature = value.trim()
    else trailers.set(name.toLowerCase(), value.trim())
  }
  if (!options.mayHaveTrailers && (trailers.size > 0 || signature !== undefined))
    throw new S3Error('MalformedTrailerError')
  if (options.mayHaveTrailers && signatures !== null) signatures.endOfTrailers(trailers, signature ?? '')
  else if (signature !== undefined) throw new S3Error('MalformedTrailerError')
}

/** Bytes as they come, as lines of limited length and as data of any. */
class LineInput {
  readonly #source: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Without its `\r\n`. */
  async line(): Promise<string> {
    for (let from = 0; ;) {
      const end = this.#rest.indexOf('\r\n', from)
      if (end > MAX_LINE_BYTES || (end === -1 && this.#rest.length > MAX_LINE_BYTES))
        throw incomplete('A line between the chunks is too long.')
      if (end !== -1) {
        const line = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 2)
        return line
      }
      from = Math.max(0, this.#rest.length - 1)
      if (!(await this.#more())) throw incomplete('The body ends before its last chunk.')
    }
  }

  /** Some bytes, at least one and at most so many. */
  async take(atMost: number): Promise<Buffer> {
    while (this.#rest.length === 0)
      if (!(await this.#more())) throw incomplete('The body ends within a chunk.')
    const taken = this.#rest.subarray(0, atMost)
    this.#rest = this.#rest.subarray(taken.length)
    return taken
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) if (!(await this.#more())) return true
    return false
  }

  /** Lets go of the source, wherever it is. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}

const incomplete = (message: string) => new S3Error('IncompleteBody', message)
