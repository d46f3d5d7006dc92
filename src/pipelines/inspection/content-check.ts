/**
 * Whether the content of a file is what its SHA-512 says, found out without keeping any of it: chunks are hashed as
 * they come by, as long as they come in file order. One that comes ahead of its turn is either noted, to be read
 * again by its offset when everything was seen, or ends the check.
 */
import {createHash, type Hash} from 'node:crypto'
import type {Chunk} from '../../core/chunk/index.js'
import type {ConsumedRecord} from '../../core/record.js'

export interface ContentPolicy {
  /** Note where chunks are that come ahead of their turn. */
  readonly keepPlaces: boolean
  /** Hashes under way, of all files; beyond {@link MOST_HASHES} a file is checked by reading it again, or not. */
  hashes: number
}

/** About 1 KB each. */
const MOST_HASHES = 16_384

export type ContentVerdict = 'verified' | 'mismatch' | 'unverified'

export interface ChunkPlace {
  readonly index: number
  readonly partition: number
  readonly offset: number
}

export class ContentCheck {
  /** `null` while chunks are still to come. */
  verdict: ContentVerdict | null = null
  reason: string | null = null
  private turn = 1
  private hashedBytes = 0
  private hash: Hash | null = null
  private places: ChunkPlace[] = []

  constructor(
    private readonly file: {
      readonly sha512: Buffer
      readonly chunkCount: number
      readonly sizeBytes: number | null
    },
    private readonly policy: ContentPolicy,
  ) {}

  /** Chunks that are to be read again, in file order. */
  placesToRead(): readonly ChunkPlace[] {
    return this.verdict === null ? this.places.sort((a, b) => a.index - b.index) : []
  }

  /** Takes a chunk that it was not given before. */
  put(chunk: Chunk, {partition, offset}: ConsumedRecord): void {
    if (this.verdict !== null) return
    const isItsTurn = chunk.index === this.turn
    if (isItsTurn && this.mayHash()) this.hashNext(chunk)
    else if (this.policy.keepPlaces) this.places.push({index: chunk.index, partition, offset})
    else if (isItsTurn) this.giveUp('too many files are incomplete at the same time')
    else this.giveUp('its chunks are not in file order on the topic')
  }

  /** Takes a chunk that was read again; they come in file order. */
  putAgain(chunk: Chunk): void {
    if (this.verdict === null && chunk.index === this.turn) this.hashNext(chunk)
  }

  giveUp(reason: string): void {
    if (this.verdict === null) this.conclude('unverified', reason)
  }

  private mayHash(): boolean {
    return this.file.chunkCount === 1 || this.hash !== null || this.policy.hashes < MOST_HASHES
  }

  private hashNext({chunkSha512, offsetBytes, data}: Chunk): void {
    if (offsetBytes !== this.hashedBytes) {
      this.conclude('mismatch', `chunk ${this.turn} is for byte ${offsetBytes}, not ${this.hashedBytes}`)
      return
    }
    this.hashedBytes += data.length
    this.turn += 1
    // The decoder has hashed it already.
    if (this.file.chunkCount === 1) {
      this.finish(chunkSha512)
      return
    }
    if (this.hash === null) {
      this.hash = createHash('sha512')
      this.policy.hashes += 1
    }
    this.hash.update(data)
    if (this.turn > this.file.chunkCount) this.finish(this.hash.digest())
  }

  private finish(actual: Buffer): void {
    const {sha512, sizeBytes} = this.file
    if (!actual.equals(sha512)) this.conclude('mismatch', 'the SHA-512 of its chunks together is another one')
    else if (sizeBytes !== null && sizeBytes !== this.hashedBytes)
      this.conclude('mismatch', `it has ${this.hashedBytes} bytes, its uploader counted ${sizeBytes}`)
    else this.conclude('verified', null)
  }

  private conclude(verdict: ContentVerdict, reason: string | null): void {
    this.verdict = verdict
    this.reason = reason
    if (this.hash !== null) this.policy.hashes -= 1
    this.hash = null
    this.places = []
  }
}
