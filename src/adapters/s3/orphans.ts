/** Uploads that dead processes of this host left: which of them are to be ended, and when. */
import type {Clock, Logger} from '../../core/ports/index.js'
import type {BucketClient} from './bucket-client.js'
import type {CallOptions} from './store-calls.js'
import type {JournaledUpload} from './journaled-upload.js'
import type {UploadJournal} from './upload-journal.js'

/** A file that did not come again for so long was delivered by somebody else, or never will be. */
export const ORPHANED_MS = 24 * 3_600_000
/** Create and its reply lie so far apart at most, with clocks that disagree. */
const ABOUT_TO_BEGIN_MS = 15 * 60_000

export interface OrphanSite {
  readonly client: BucketClient
  readonly journal: UploadJournal
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Ends the orphans that were begun so long ago. One that was about to be begun is looked for: an upload of its key,
 * of its time, without parts.
 * @returns how many were ended
 */
export async function endOrphans(
  site: OrphanSite,
  olderThanMs: number,
  options: CallOptions = {},
  concerns: (orphan: JournaledUpload) => boolean = () => true,
): Promise<number> {
  const {client, journal, clock, logger} = site
  let ended = 0
  for (const orphan of [...journal.orphans]) {
    const {key, uploadId, begunMs} = orphan.entry
    if (!concerns(orphan) || clock.nowMs() - begunMs < olderThanMs) continue
    journal.orphans.delete(orphan)
    try {
      if (!(await orphan.claim())) continue
      if (uploadId === null) ended += await endThoseAboutToBegin(site, orphan, options)
      else {
        await client.uploads.abort({key, uploadId}, options)
        ended += 1
      }
      await orphan.over()
    } catch (thrown) {
      journal.orphans.add(orphan)
      throw thrown
    }
    logger.debug(`Ended an upload of ${key} that a process before this one left.`)
  }
  return ended
}

/** Those without an upload id serve nobody: they are ended at once. */
export function endNameless(site: OrphanSite, options: CallOptions = {}): Promise<number> {
  return endOrphans(site, 0, options, ({entry}) => entry.uploadId === null)
}

async function endThoseAboutToBegin(
  {client, journal}: OrphanSite,
  {entry: {key, begunMs}}: JournaledUpload,
  options: CallOptions,
): Promise<number> {
  const known = new Set([...journal.orphans, ...journal.live].map(({entry}) => entry.uploadId))
  let ended = 0
  for (const upload of await client.uploads.list(key, options)) {
    const isOfThatTime = Math.abs(upload.initiatedMs - begunMs) < ABOUT_TO_BEGIN_MS
    if (upload.key !== key || known.has(upload.uploadId) || !isOfThatTime) continue
    if ((await client.uploads.listParts(upload, options).catch(() => [null])).length > 0) continue
    await client.uploads.abort(upload, options)
    ended += 1
  }
  return ended
}
