/** How often a file that its destination did not take, or that was not what its hash says, is begun anew. */
import type {StreamtoolError} from '../errors.js'
import {RecentKeys} from '../flow/index.js'

/** How many generations that were read again are remembered. */
const REMEMBERED = 1024
/** After a failure that may pass. */
const STORAGE_RETRIES = 3

export class SecondChances {
  private readonly taken = new RecentKeys<number>(REMEMBERED)

  /** A hash may not match once by accident; what the storage lost in an outage is still on the topic. */
  take(generation: string, {code, retriable}: StreamtoolError): boolean {
    const limit = code === 'FILE_HASH_MISMATCH' ? 1 : retriable ? STORAGE_RETRIES : 0
    const name = `${code} ${generation}`
    const times = this.taken.get(name) ?? 0
    if (times < limit) this.taken.set(name, times + 1)
    return times < limit
  }
}
