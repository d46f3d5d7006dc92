/** The calls of one file: each waits for the store while that is away, and ends with the file. */
import {StreamtoolError} from '../../core/errors.js'
import type {HeldObject} from './bucket-client.js'
import type {Body, Condition, ObjectFields} from './requests.js'
import type {CallOptions} from './store-calls.js'
import {ObjectRefused} from './store-errors.js'
import type {WriterSite} from './writer-site.js'

export class ObjectCalls {
  /**
   * @param ends every request
   * @param running the run's, which ends waiting for the store
   */
  constructor(
    private readonly site: WriterSite,
    private readonly ends: AbortSignal,
    private readonly running: AbortSignal,
  ) {}

  get options(): CallOptions {
    return {signal: this.ends}
  }

  whenStoreAllows<T>(work: () => Promise<T>): Promise<T> {
    return this.site.whenStoreAllows(work, () => AbortSignal.any([this.running, this.ends]))
  }

  /** @returns null when there is no such object */
  look(key: string): Promise<HeldObject | null> {
    return this.whenStoreAllows(() => this.site.client.head(key, this.options))
  }

  /** @throws {ObjectRefused} taken, conflict, corrupted, unsupported */
  put(key: string, body: Body, condition: Condition, fields: ObjectFields): Promise<void> {
    const {client, steps} = this.site
    return this.whenStoreAllows(async () => {
      steps.reached('before-put')
      await this.unlessTaken(key, condition, () => client.put(key, body, condition, fields, this.options))
      steps.reached('after-put')
    })
  }

  /** @returns whether that is there, and nothing else */
  async holds(key: string, sizeBytes: number, crc32: string | undefined): Promise<boolean> {
    const there = await this.whenStoreAllows(() => this.site.client.readBack(key, this.options))
    return there?.sizeBytes === sizeBytes && there.crc32 === crc32
  }

  /**
   * A store may refuse before it has read all that it is sent, and hang up: then its answer is lost with the connection,
   * however often it is asked. So it is looked whether its condition still holds.
   */
  private async unlessTaken(key: string, condition: Condition, put: () => Promise<void>): Promise<void> {
    try {
      await put()
    } catch (thrown) {
      const isAway = thrown instanceof StreamtoolError && thrown.code === 'STORE_UNREACHABLE'
      if (!isAway || condition === null) throw thrown
      const etag = (await this.site.client.head(key, this.options))?.etag ?? null
      if (etag === (condition === 'absent' ? null : condition.etag)) throw thrown
      throw new ObjectRefused('taken', `${key} is another object by now.`, {facts: {key}, cause: thrown})
    }
  }
}
