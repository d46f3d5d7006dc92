/** Decodes one Zstandard frame (RFC 8878, 3.1.1). Its checksum is not looked at: the batch's CRC covers it. */
import type {Buffer} from 'node:buffer'
import {BatchFault} from '../../fault.js'
import type {BoundedOutput} from '../output.js'
import type {ZstdFrame} from './frames.js'
import type {HuffmanTable} from './huffman.js'
import {MAX_BLOCK_BYTES, readLiterals} from './literals.js'
import {readSequences} from './sequences.js'
import type {SequenceTables} from './sequences.js'

const RAW = 0
const RLE = 1
const COMPRESSED = 2

/** @throws BatchFault */
export function decodeZstdFrame(frame: ZstdFrame, output: BoundedOutput): void {
  const blocks = new BlockDecoder(output)
  for (const {type, bytes, size} of frame.blocks) {
    if (size > MAX_BLOCK_BYTES) throw new BatchFault(`zstd: a block of ${size} bytes`)
    switch (type) {
      case RAW:
        output.append(bytes, 0, bytes.length)
        break
      case RLE:
        blocks.repeat(bytes, size)
        break
      case COMPRESSED:
        blocks.decompress(bytes)
        break
      default:
        throw new BatchFault(`zstd: a block of type ${type}`)
    }
  }
}

/** What one block leaves to the next of its frame. */
class BlockDecoder {
  readonly #output: BoundedOutput
  readonly #frameStart: number
  #huffman: HuffmanTable | null = null
  #tables: SequenceTables | null = null
  /** The three offsets that were used last. */
  #recent: [number, number, number] = [1, 4, 8]

  constructor(output: BoundedOutput) {
    this.#output = output
    this.#frameStart = output.length
  }

  repeat(byte: Buffer, times: number): void {
    if (times === 0) return
    this.#output.append(byte, 0, 1)
    if (times > 1) this.#output.repeat(1, times - 1)
  }

  decompress(block: Buffer): void {
    const blockEnd = this.#output.length + MAX_BLOCK_BYTES
    const {literals, byteLength, table} = readLiterals(block, this.#huffman)
    this.#huffman = table
    let taken = 0
    this.#tables = readSequences(block.subarray(byteLength), this.#tables, (sequence) => {
      const end = taken + sequence.literalLength
      if (end > literals.length) throw new BatchFault('zstd: a sequence takes more literals than there are')
      this.#output.append(literals, taken, end)
      taken = end
      const offset = this.#offsetOf(sequence.offsetValue, sequence.literalLength)
      this.#output.repeat(offset, sequence.matchLength, this.#frameStart)
      if (this.#output.length > blockEnd) throw new BatchFault('zstd: a block becomes too large')
    })
    this.#output.append(literals, taken, literals.length)
    if (this.#output.length > blockEnd) throw new BatchFault('zstd: a block becomes too large')
  }

  /** Without literals before it, the most recent offset is never meant, and the choices move up by one. */
  #offsetOf(value: number, literalLength: number): number {
    const [first, second, third] = this.#recent
    if (value > 3) {
      this.#recent = [value - 3, first, second]
      return value - 3
    }
    const choice = literalLength === 0 ? value : value - 1
    switch (choice) {
      case 0:
        return first
      case 1:
        this.#recent = [second, first, third]
        return second
      default: {
        const offset = choice === 2 ? third : first - 1
        this.#recent = [offset, first, second]
        return offset
      }
    }
  }
}
