/**
 * Uploads that nobody knows the id of: Create was carried out, and its reply was lost. It gives no name to what it
 * begins, so a twin of our own upload is known by its key, by its time, and by having no parts. A request that was
 * given up may be carried out later than the one that was answered, so twins are looked for twice:
 *
 *     Create … Create -> own upload -> look -> parts -> over -> look again
 *
 * Tidying up is no reason for a file to fail: we may lack the right to list, and a lifecycle rule does it too.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {Clock} from '../../core/ports/index.js'
import type {BucketClient} from './bucket-client.js'
import type {CallOptions} from './store-calls.js'
import type {UploadName} from './upload-calls.js'

/** The store's clock may tick in seconds. */
const TICK_MS = 1000

export class Twins {
  /** When our own was begun, by the store's clock. */
  private ownMs: number | null = null
  private readonly tookMs: number

  /** @param begunMs before the first Create was sent */
  constructor(
    private readonly site: {readonly client: BucketClient; readonly clock: Clock},
    private readonly own: UploadName,
    private readonly begunMs: number,
  ) {
    this.tookMs = site.clock.nowMs() - begunMs
  }

  async end(options: CallOptions): Promise<void> {
    try {
      await this.endThem(options)
    } catch (thrown) {
      if (!(thrown instanceof StreamtoolError)) throw thrown
    }
  }

  private async endThem(options: CallOptions): Promise<void> {
    const {client, clock} = this.site
    const {key, uploadId} = this.own
    const uploads = (await client.uploads.list(key, options)).filter((upload) => upload.key === key)
    this.ownMs ??= uploads.find((upload) => upload.uploadId === uploadId)?.initiatedMs ?? null
    if (this.ownMs === null) return
    const firstMs = this.ownMs - this.tookMs - TICK_MS
    const lastMs = this.ownMs + (clock.nowMs() - this.begunMs) + TICK_MS
    for (const twin of uploads) {
      if (twin.uploadId === uploadId || twin.initiatedMs < firstMs || twin.initiatedMs > lastMs) continue
      const isEmpty = (await client.uploads.listParts(twin, options).catch(() => [null])).length === 0
      if (isEmpty) await client.uploads.abort(twin, options)
    }
  }
}
