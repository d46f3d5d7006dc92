/**
 * What is remembered of generations that are over, to tell a late copy of a chunk from the beginning of a new upload.
 * Bounded: what was concluded long ago is forgotten, and then others must know (delivery/late-copies.ts).
 */
import type {DecodedChunk} from '../chunk/index.js'
import {RecentKeys} from '../flow/index.js'
import type {IntervalSet} from '../offsets/index.js'
import type {GenerationOrder} from '../ports/index.js'
import type {ConsumedRecord} from '../record.js'
import type {Assembly} from './assembly.js'
import {compareGenerations} from './generation-order.js'
import {orderOf} from './generation.js'

/** How many generations, and how many paths. */
const REMEMBERED = 65_536

export class ConcludedGenerations {
  /** By generation key: the chunks that it had when it got its outcome. */
  private chunks = new RecentKeys<{readonly chunks: IntervalSet; readonly parked: boolean}>(REMEMBERED)
  private latest = new RecentKeys<{readonly key: string; readonly order: GenerationOrder}>(REMEMBERED)

  add({key, receivedChunks: chunks, outcome}: Assembly): void {
    this.chunks.set(key, {chunks, parked: outcome === 'parked'})
  }

  delivered({path, key, order}: Assembly): void {
    this.latest.set(path, {key, order})
  }

  /** Offsets begin anew in a partition, so what was delivered is no measure any more. */
  forget(): void {
    this.chunks = new RecentKeys(REMEMBERED)
    this.latest = new RecentKeys(REMEMBERED)
  }

  hasNewerDelivered({path, order}: Assembly): boolean {
    const latest = this.latest.get(path)
    return latest !== undefined && compareGenerations(order, latest.order) < 0
  }

  /**
   * With an upload id, an upload that was concluded is over; only of one that was parked may missing chunks still
   * come. Without, the same content may rightly come again (A, B, A), so a copy of what the path got last is a stray,
   * and what comes late of a generation that this had superseded.
   */
  isStray(key: string, decoded: DecodedChunk, record: ConsumedRecord): boolean {
    const latest = this.latest.get(decoded.path)
    if (latest?.key === key) return true
    const concluded = this.chunks.get(key)
    if (!concluded) return false
    const {index} = decoded.chunk
    if (concluded.parked) return concluded.chunks.has(index)
    if (decoded.headers.uploadId !== null) return true
    if (latest && compareGenerations(orderOf(record, decoded), latest.order) < 0) return true
    // It was superseded before it was complete, and this is one of the chunks that were still on their way.
    return concluded.chunks.add(index)
  }
}
