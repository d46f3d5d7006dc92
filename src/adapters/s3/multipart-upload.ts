/**
 * One multipart upload: parts side by side, each from a buffer that counts against the memory of all that are under
 * way, until Complete or Abort.
 *
 *     journal: about to begin -> Create -> journal: begun -> UploadPart × n -> Complete | Abort -> journal: over
 *
 * One that a dead process left is gone on with: parts whose size and checksum, as the store lists them, are those of what
 * would be sent are not sent again.
 */
import {setMaxListeners} from 'node:events'
import {type Semaphore, isAborted} from '../../core/flow/index.js'
import type {Clock, StepObserver} from '../../core/ports/index.js'
import type {BucketClient} from './bucket-client.js'
import type {JournaledUpload} from './journaled-upload.js'
import type {PartBuffer} from './part-buffer.js'
import type {Body, Condition, ObjectFields} from './requests.js'
import type {CallOptions} from './store-calls.js'
import {isRefusal} from './store-errors.js'
import {Twins} from './twins.js'
import type {StoredPart, UploadName} from './upload-calls.js'
import type {UploadJournal} from './upload-journal.js'

export interface UploadSite {
  readonly client: BucketClient
  readonly journal: UploadJournal
  /** Bytes of parts that are being sent. */
  readonly sending: Semaphore
  readonly clock: Clock
  readonly steps: StepObserver
  /** Ends clearing up: what is left stays in the journal. */
  readonly deadline: AbortSignal
  /** Runs a call, again and again while the store is away. */
  readonly whenStoreAllows: <T>(work: () => Promise<T>) => Promise<T>
}

export interface UploadPlan {
  readonly key: string
  /** Of what, and with which settings. */
  readonly generation: string
  readonly partBytes: number
  readonly writeId: string
  readonly fields: ObjectFields
}

/** So long after Abort it is looked whether something came late, each time after the time before. */
const LATE_LOOKS_MS = [100, 200, 400]

export class MultipartUpload {
  private readonly upload: UploadName
  /** Of a dead process, by number. */
  private readonly found: ReadonlyMap<number, StoredPart>
  private readonly sent = new Map<number, StoredPart>()
  private readonly underWay = new Set<Promise<void>>()
  private failure: {readonly thrown: unknown} | null = null
  /** A request of a part was given up that the store may carry out all the same. */
  private mayComeLate = false
  private readonly stop = new AbortController()
  /** Of its parts. */
  private readonly ends: AbortSignal

  /**
   * @param found parts of a dead process
   * @param signal ends it, and every request of it
   */
  constructor(
    private readonly site: UploadSite,
    private readonly journaled: JournaledUpload,
    uploadId: string,
    found: readonly StoredPart[],
    signal: AbortSignal,
    private readonly twins: Twins | null,
  ) {
    this.upload = {key: journaled.entry.key, uploadId}
    this.found = new Map(found.map((part) => [part.number, part]))
    this.ends = AbortSignal.any([this.stop.signal, signal, journaled.lost])
    setMaxListeners(0, this.ends)
  }

  /** In the metadata of the object that it becomes, which was given when it was begun. */
  get writeId(): string {
    return this.journaled.entry.writeId
  }

  /** @param signal ends it, and every request of it, before it is complete */
  static async begin(site: UploadSite, plan: UploadPlan, signal: AbortSignal): Promise<MultipartUpload> {
    const adopted = await adopt(site, plan, signal)
    if (adopted === null) return create(site, plan, signal)
    return new MultipartUpload(site, adopted.journaled, adopted.uploadId, adopted.parts, signal, null)
  }

  /**
   * Sends the next part, beside others. Resolves when there is memory for it, which needs no other record.
   * @param checksum computed when it was read
   * @throws what an earlier part failed with
   */
  async send(number: number, part: PartBuffer, checksum: string): Promise<void> {
    this.throwIfFailed()
    const {sending: budget} = this.site
    const release = await budget.acquire(part.byteLength, this.ends)
    const body = await part.take().catch((thrown: unknown) => {
      release()
      throw thrown
    })
    const sending = this.sendNow(number, {content: body.bytes, checksum})
      // Only now: a request that failed may still be reading it.
      .then(() => body.giveBack())
      .catch((thrown: unknown) => {
        this.mayComeLate = true
        this.failure ??= {thrown}
        // The others would be sent in vain.
        this.stop.abort(thrown)
      })
      .finally(() => {
        release()
        this.underWay.delete(sending)
      })
    this.underWay.add(sending)
  }

  /** Resolves when all parts are stored. @throws what one of them failed with */
  async allSent(): Promise<void> {
    await Promise.all(this.underWay)
    this.throwIfFailed()
  }

  /** @throws {ObjectRefused} taken, conflict, no-upload, corrupted */
  async complete(
    whole: {readonly checksum: string; readonly sizeBytes: number},
    condition: Condition,
    options: CallOptions,
  ): Promise<void> {
    const {client, steps, whenStoreAllows} = this.site
    const parts = [...this.sent.values()].sort((a, b) => a.number - b.number)
    await whenStoreAllows(async () => {
      steps.reached('before-complete')
      await client.uploads.complete(this.upload, parts, whole, condition, options)
      steps.reached('after-complete')
    })
  }

  /** It is over, whether by Complete or by what was found out after a lost reply. */
  async over(): Promise<void> {
    await this.twins?.end(this.clearingUp())
    await this.journaled.over()
  }

  /** Leaves nothing in the store. What cannot be ended now is an orphan: gone on with, or ended when its file is there. */
  async abort(): Promise<void> {
    this.stop.abort(new Error('the upload is aborted'))
    // A part that arrives after the upload was aborted would stay.
    await Promise.all(this.underWay)
    // Somebody else goes on with it.
    if (isAborted(this.journaled.lost)) return
    try {
      await this.site.client.uploads.abort(this.upload, this.clearingUp())
      if (this.mayComeLate) await this.endLateParts()
    } catch (thrown) {
      this.site.journal.orphans.add(this.journaled)
      throw thrown
    }
    await this.over()
  }

  /**
   * A store may still be busy with a part that was given up, and keep it, and the upload with it, after Abort.
   * @throws when that cannot be seen
   */
  private async endLateParts(): Promise<void> {
    const {client, clock, deadline} = this.site
    for (const pauseMs of LATE_LOOKS_MS) {
      await clock.sleep(pauseMs, deadline)
      try {
        await client.uploads.listParts(this.upload, this.clearingUp())
      } catch (thrown) {
        if (isRefusal(thrown, 'no-upload', 'absent')) continue
        throw thrown
      }
      await client.uploads.abort(this.upload, this.clearingUp())
    }
  }

  private async sendNow(number: number, body: Body): Promise<void> {
    const there = this.found.get(number)
    if (there?.sizeBytes === body.content.length && there.checksum === body.checksum) {
      this.sent.set(number, there)
      return
    }
    const {client, steps, whenStoreAllows} = this.site
    const stored = await whenStoreAllows(async () => {
      steps.reached('before-part')
      const part = await client.uploads.putPart(this.upload, number, body, {
        signal: this.ends,
        onDoubt: () => void (this.mayComeLate = true),
      })
      steps.reached('after-part')
      return part
    })
    this.sent.set(number, stored)
  }

  private clearingUp(): CallOptions {
    return {signal: this.site.deadline}
  }

  private throwIfFailed(): void {
    if (this.failure !== null) throw this.failure.thrown
    if (isAborted(this.ends)) throw this.ends.reason
  }
}

async function create(site: UploadSite, plan: UploadPlan, signal: AbortSignal): Promise<MultipartUpload> {
  const {client, journal, clock, steps, whenStoreAllows} = site
  const {key, generation, partBytes, writeId, fields} = plan
  const begunMs = clock.nowMs()
  const journaled = await journal.begin({key, generation, partBytes, writeId, begunMs})
  const doubt = {isThere: false}
  const onDoubt = (): void => void (doubt.isThere = true)
  let uploadId: string
  try {
    uploadId = await whenStoreAllows(() => {
      steps.reached('before-begin')
      return client.uploads.create(key, fields, {signal, onDoubt})
    })
    steps.reached('after-begin')
    await journaled.begun(uploadId)
  } catch (thrown) {
    // It may have been begun all the same: that is looked for when there is time.
    journal.orphans.add(journaled)
    throw thrown
  }
  const twins = doubt.isThere ? new Twins(site, {key, uploadId}, begunMs) : null
  await twins?.end({signal})
  return new MultipartUpload(site, journaled, uploadId, [], signal, twins)
}

/** @returns null when there is nothing that could be gone on with */
async function adopt(
  {client, journal, whenStoreAllows}: UploadSite,
  {key, generation, partBytes}: UploadPlan,
  signal: AbortSignal,
): Promise<{journaled: JournaledUpload; uploadId: string; parts: readonly StoredPart[]} | null> {
  const journaled = await journal.adopt(key, generation)
  const uploadId = journaled?.entry.uploadId ?? null
  if (journaled === null || uploadId === null) return null
  try {
    const parts = await whenStoreAllows(() => client.uploads.listParts({key, uploadId}, {signal}))
    const isUseful = journaled.entry.partBytes === partBytes && parts.some((part) => part.checksum !== null)
    if (isUseful) return {journaled, uploadId, parts}
    await whenStoreAllows(() => client.uploads.abort({key, uploadId}, {signal}))
  } catch (thrown) {
    if (!isRefusal(thrown, 'no-upload', 'absent')) {
      journal.orphans.add(journaled)
      throw thrown
    }
  }
  await journaled.over()
  return null
}
