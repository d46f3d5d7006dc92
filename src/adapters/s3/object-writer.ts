/**
 * One file on its way into a bucket: part after part as it is read, or in one piece when it is small.
 *
 *     write -> the part being filled -> full, and there is more -> look at the key once -> multipart upload
 *     finish -> CRC-32 as the uploader's? -> the last part, Complete; or PutObject (publish.ts)
 */
import {randomBytes} from 'node:crypto'
import {setMaxListeners} from 'node:events'
import {StreamtoolError} from '../../core/errors.js'
import {isAborted, type Turns} from '../../core/flow/index.js'
import type {FileWriter, FinishOutcome, IncomingFile} from '../../core/ports/index.js'
import type {Checksums} from './checksum.js'
import {heldAs, metadataOf} from './generation-metadata.js'
import {versionedKey} from './key-template.js'
import {MultipartUpload, type UploadSite} from './multipart-upload.js'
import {objectFields, type ObjectSettings} from './object-settings.js'
import {PartBuffer, type PartMemory} from './part-buffer.js'
import {mostBytesOf, partBytesFor} from './part-plan.js'
import type {Condition} from './requests.js'
import type {CallOptions} from './store-calls.js'
import {ObjectRefused} from './store-errors.js'
import {
  type Claim,
  type Conditions,
  type IfExists,
  type Publication,
  publish,
  type Published,
  verdictOn,
} from './publish.js'
import {WrittenChecksums} from './written-checksums.js'

/** What the writers of a bucket share. */
export interface WriterSite extends Omit<UploadSite, 'whenStoreAllows'> {
  readonly ifExists: IfExists
  readonly conditions: Conditions
  readonly object: ObjectSettings
  /** Of {@link object}, for what goes on with an upload. */
  readonly fingerprint: string
  readonly wantedPartBytes: number
  readonly memory: PartMemory
  /** By key: looking at what is there and writing belong together. */
  readonly turns: Turns
  /** The store proves nothing of what it was sent, so it is read back. */
  readonly readsBack: boolean
  readonly whenStoreAllows: <T>(work: () => Promise<T>, signal: () => AbortSignal) => Promise<T>
  /** Whatever dead processes had under way to its key was in vain, or is done. */
  readonly onConcluded: (key: string) => Promise<void>
  readonly onSettled: (writer: ObjectWriter) => void
}

/**
 * Outcomes by which the object has this content. Where the store proves nothing, it is read back for each of them: a
 * process may have died between writing an object and reading it back.
 */
const CLAIMS_CONTENT: readonly FinishOutcome[] = ['delivered', 'unchanged']

export class ObjectWriter implements FileWriter {
  private writtenBytes = 0
  private readonly checksums: WrittenChecksums
  private partBytes = 0
  private partNumber = 1
  private part: PartBuffer
  private upload: MultipartUpload | null = null
  /** Null until it is looked for; then whether nothing need be sent, since what there is will stay. */
  private needsNothing: boolean | null = null
  private busy: Promise<unknown> = Promise.resolve()
  private readonly writeId = randomBytes(12).toString('base64url')
  private readonly stop = new AbortController()
  /** Ends every request of it. */
  private readonly ends: AbortSignal
  private readonly uploadSite: UploadSite
  /** Under which it is published, unless that has to change. */
  private key: string

  /**
   * @param signal the file's own, which also ends its requests
   * @param running the run's, which ends waiting for the store
   */
  constructor(
    private readonly file: IncomingFile,
    private readonly firstKey: string,
    private readonly site: WriterSite,
    private readonly signal: AbortSignal,
    private readonly running: AbortSignal,
  ) {
    this.key = firstKey
    this.ends = AbortSignal.any([this.stop.signal, signal])
    setMaxListeners(0, this.ends)
    this.part = new PartBuffer(site.memory, this.ends)
    this.checksums = new WrittenChecksums(site.client.checksums.name, {withSha256: site.object.sha256})
    this.uploadSite = {...site, whenStoreAllows: (work) => this.whenStoreAllows(work)}
  }

  write(data: Buffer): Promise<void> {
    return this.during(async () => {
      this.throwIfOver()
      if (this.partBytes === 0)
        this.partBytes = partBytesFor(mostBytesOf(this.file, data.length), this.site.wantedPartBytes)
      this.writtenBytes += data.length
      for (let at = 0; at < data.length;) {
        // Full, and there is more: so it is not all of the file.
        if (this.part.byteLength >= this.partBytes) await this.sendPart()
        const end = Math.min(data.length, at + this.partBytes - this.part.byteLength)
        const piece = data.subarray(at, end)
        this.checksums.update(piece)
        if (this.needsNothing !== true) await this.part.append(piece)
        at = end
      }
    })
  }

  finish(sizeBytes: number): Promise<FinishOutcome> {
    return this.during(async () => {
      this.throwIfOver()
      if (this.writtenBytes !== sizeBytes) {
        throw new StreamtoolError(
          'BUG',
          `${this.file.path}: ${this.writtenBytes} of ${sizeBytes} bytes were written.`,
        )
      }
      this.checksums.requireAsRecorded(this.file)
      const {outcome, key} = await this.site.turns.take(this.firstKey, () => this.finishNow())
      await this.site.onConcluded(key)
      this.site.onSettled(this)
      return outcome
    })
  }

  async discard(): Promise<void> {
    this.stop.abort(this.givenUp())
    await this.busy
    await this.part.clear()
    const {upload} = this
    this.upload = null
    this.site.onSettled(this)
    await upload?.abort()
  }

  private async finishNow(): Promise<Published> {
    this.throwIfOver()
    const {upload} = this
    const published =
      upload !== null
        ? await this.complete(upload)
        : this.needsNothing === true
          ? await this.publish({
              write: () => this.notSent(),
              writeId: this.writeId,
              looksFirst: true,
              otherKey: null,
            })
          : await this.putWhole()
    if (this.site.readsBack && CLAIMS_CONTENT.includes(published.outcome)) await this.readBack(published.key)
    return published
  }

  private async complete(upload: MultipartUpload): Promise<Published> {
    const whole = {checksum: this.checksums.whole(), sizeBytes: this.writtenBytes}
    if (this.part.byteLength > 0) await upload.send(this.partNumber, this.part, this.checksums.endPart())
    await upload.allSent()
    const published = await this.publish({
      write: (_, condition) => upload.complete(whole, condition, this.calls()),
      writeId: upload.writeId,
      looksFirst: false,
      otherKey: null,
    })
    this.upload = null
    if (published.outcome === 'delivered') await upload.over()
    else await this.whenStoreAllows(() => upload.abort())
    return published
  }

  private async putWhole(): Promise<Published> {
    const {file, site, part, firstKey} = this
    const release = await site.sending.acquire(part.byteLength, this.ends)
    try {
      const body = await part.take()
      const checked = {content: body.bytes, checksum: this.checksums.whole()}
      const published = await this.publish({
        write: (key, condition) =>
          this.whenStoreAllows(async () => {
            site.steps.reached('before-put')
            await this.unlessTaken(key, condition, () =>
              site.client.put(key, checked, condition, this.fields(), this.calls()),
            )
            site.steps.reached('after-put')
          }),
        writeId: this.writeId,
        looksFirst: false,
        otherKey: versionedKey(firstKey, file),
      })
      // Only now: a request that failed may still be reading it.
      body.giveBack()
      return published
    } finally {
      release()
    }
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
      const etag = (await this.site.client.head(key, this.calls()))?.etag ?? null
      if (etag === (condition === 'absent' ? null : condition.etag)) throw thrown
      throw new ObjectRefused('taken', `${key} is another object by now.`, {facts: {key}, cause: thrown})
    }
  }

  private publish(
    how: Pick<Publication, 'write' | 'writeId' | 'looksFirst' | 'otherKey'>,
  ): Promise<Published> {
    const {site, writtenBytes} = this
    return publish({
      ...this.claim(writtenBytes, this.checksums.all()),
      ...how,
      conditions: site.conditions,
      look: (key) => this.look(key),
      clock: site.clock,
    })
  }

  private claim(sizeBytes: number, checksums: Checksums): Claim {
    const {file, site, key, firstKey} = this
    const otherKey = versionedKey(firstKey, file)
    return {
      path: file.path,
      key,
      otherKey,
      isMoved: key !== firstKey,
      generation: heldAs(file, sizeBytes),
      checksums,
      ifExists: site.ifExists,
    }
  }

  private look(key: string) {
    return this.whenStoreAllows(() => this.site.client.head(key, this.calls()))
  }

  /** @throws OBJECT_CORRUPTED */
  private async readBack(key: string): Promise<void> {
    const there = await this.whenStoreAllows(() => this.site.client.readBack(key, this.calls()))
    if (there?.sizeBytes === this.writtenBytes && there.crc32 === this.checksums.all().CRC32) return
    throw new StreamtoolError('OBJECT_CORRUPTED', `${key}, read back, is not what was sent.`, {
      facts: {key, path: this.file.path},
      suggestions: [
        'Look at what lies between here and the store, and at the store itself.',
        'Remove that object: the next start writes it anew.',
      ],
    })
  }

  private async sendPart(): Promise<void> {
    const checksum = this.checksums.endPart()
    this.needsNothing ??= await this.findsEnough()
    if (this.needsNothing) {
      await this.part.clear()
      return
    }
    this.upload ??= await MultipartUpload.begin(this.uploadSite, this.plan(), this.ends)
    await this.upload.send(this.partNumber, this.part, checksum)
    this.partNumber += 1
    this.part = new PartBuffer(this.site.memory, this.ends)
  }

  /**
   * Worth a look before gigabytes are sent: it may have been completed just before a crash; and an upload is bound to
   * its key when it is begun.
   * @throws FILE_EXISTS
   */
  private async findsEnough(): Promise<boolean> {
    for (;;) {
      const held = await this.look(this.key)
      if (held === null) return false
      const said = this.file.crc32
      const known = said === null ? {} : {CRC32: said.toString('base64')}
      const claim = this.claim(this.file.sizeBytes ?? held.sizeBytes, known)
      const verdict = verdictOn(held, claim)
      if (verdict !== 'elsewhere') return ['unchanged', 'superseded', 'kept'].includes(verdict)
      this.key = claim.otherKey ?? this.key
    }
  }

  private async notSent(): Promise<never> {
    const {key, file} = this
    throw new StreamtoolError('OBJECT_CONFLICT', `${key} was replaced while ${file.path} was read.`, {
      facts: {key, path: file.path},
    })
  }

  private plan() {
    const {file, site, key, partBytes} = this
    const {topic, path, uploadId, sha512} = heldAs(file, 0)
    const generation = JSON.stringify([topic, path, uploadId, sha512, site.fingerprint])
    return {key, partBytes, generation, writeId: this.writeId, fields: this.fields()}
  }

  private fields() {
    const {file, site, partNumber} = this
    const isWhole = partNumber === 1 && this.needsNothing === null
    const own = {
      sizeBytes: isWhole ? this.writtenBytes : file.sizeBytes,
      sha256: isWhole ? this.checksums.sha256() : null,
      writeId: this.writeId,
    }
    return {
      ...objectFields(site.object, file, site.clock.nowMs()),
      Metadata: {...metadataOf(file, own, site.object.metadata)},
    }
  }

  private calls(): CallOptions {
    return {signal: this.ends}
  }

  private whenStoreAllows<T>(work: () => Promise<T>): Promise<T> {
    return this.site.whenStoreAllows(work, () => AbortSignal.any([this.running, this.ends]))
  }

  private throwIfOver(): void {
    this.signal.throwIfAborted()
    this.running.throwIfAborted()
    if (isAborted(this.stop.signal)) throw this.givenUp()
  }

  private givenUp(): StreamtoolError {
    return new StreamtoolError('INTERRUPTED', `${this.file.path} was given up.`)
  }

  /** `discard` waits for what is under way. */
  private during<T>(work: () => Promise<T>): Promise<T> {
    const done = work()
    this.busy = done.catch(() => undefined)
    return done
  }
}
