/**
 * One file on its way into a bucket: part after part as it is read, or in one piece when it is small.
 *
 *     write -> the part being filled -> full, and there is more -> look at the key once -> multipart upload
 *     finish -> CRC-32 as the uploader's? -> the last part, Complete; or PutObject (publish.ts)
 */
import {randomBytes} from 'node:crypto'
import {setMaxListeners} from 'node:events'
import {StreamtoolError} from '../../core/errors.js'
import {isAborted} from '../../core/flow/index.js'
import type {FileWriter, FinishOutcome, IncomingFile} from '../../core/ports/index.js'
import {MultipartUpload} from './multipart-upload.js'
import {ObjectCalls} from './object-calls.js'
import {ObjectClaim} from './object-claim.js'
import {PartBuffer} from './part-buffer.js'
import {mostBytesOf, partBytesFor} from './part-plan.js'
import {type Publication, publish, type Published} from './publish.js'
import type {WriterSite} from './writer-site.js'
import {WrittenChecksums} from './written-checksums.js'

/** How it gets there: `nothing` is sent where what there is will stay. */
type Way = 'in one piece' | 'nothing' | MultipartUpload

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
  /** In one piece, until more than a part has come. */
  private way: Way = 'in one piece'
  private busy: Promise<unknown> = Promise.resolve()
  private readonly writeId = randomBytes(12).toString('base64url')
  private readonly stop = new AbortController()
  /** Ends every request of it. */
  private readonly ends: AbortSignal
  private readonly calls: ObjectCalls
  private readonly claim: ObjectClaim

  /**
   * @param signal the file's own, which also ends its requests
   * @param running the run's, which ends waiting for the store
   */
  constructor(
    private readonly file: IncomingFile,
    key: string,
    private readonly site: WriterSite,
    private readonly signal: AbortSignal,
    private readonly running: AbortSignal,
  ) {
    this.ends = AbortSignal.any([this.stop.signal, signal])
    setMaxListeners(0, this.ends)
    this.calls = new ObjectCalls(site, this.ends, running)
    this.claim = new ObjectClaim(file, key, this.writeId, site)
    this.part = new PartBuffer(site.memory, this.ends)
    this.checksums = new WrittenChecksums(site.client.checksums.name, {withSha256: site.object.sha256})
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
        if (this.way !== 'nothing') await this.part.append(piece)
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
      const {outcome, key} = await this.site.turns.take(this.claim.firstKey, () => this.finishNow())
      await this.site.onConcluded(key)
      this.site.onSettled(this)
      return outcome
    })
  }

  async discard(): Promise<void> {
    this.stop.abort(this.givenUp())
    await this.busy
    await this.part.clear()
    const {way} = this
    this.way = 'nothing'
    this.site.onSettled(this)
    if (way instanceof MultipartUpload) await way.abort()
  }

  private async sendPart(): Promise<void> {
    const checksum = this.checksums.endPart()
    if (this.way === 'in one piece') this.way = await this.wayForMore()
    if (this.way === 'nothing') {
      await this.part.clear()
      return
    }
    await this.way.send(this.partNumber, this.part, checksum)
    this.partNumber += 1
    this.part = new PartBuffer(this.site.memory, this.ends)
  }

  private async wayForMore(): Promise<MultipartUpload | 'nothing'> {
    const {calls, claim, site, partBytes, ends} = this
    if (await claim.isMetBy((key) => calls.look(key))) return 'nothing'
    const uploadSite = {...site, whenStoreAllows: <T>(work: () => Promise<T>) => calls.whenStoreAllows(work)}
    return MultipartUpload.begin(uploadSite, claim.plan(partBytes), ends)
  }

  private async finishNow(): Promise<Published> {
    this.throwIfOver()
    const published = await this.sendRest()
    if (this.site.readsBack && CLAIMS_CONTENT.includes(published.outcome)) await this.readBack(published.key)
    return published
  }

  private sendRest(): Promise<Published> {
    const {way} = this
    if (way === 'in one piece') return this.putWhole()
    if (way !== 'nothing') return this.complete(way)
    const write = (key: string) => Promise.reject(this.replaced(key))
    return this.publish({write, writeId: this.writeId, looksFirst: true, otherKey: null})
  }

  private async complete(upload: MultipartUpload): Promise<Published> {
    const whole = {checksum: this.checksums.whole(), sizeBytes: this.writtenBytes}
    if (this.part.byteLength > 0) await upload.send(this.partNumber, this.part, this.checksums.endPart())
    await upload.allSent()
    const published = await this.publish({
      write: (_, condition) => upload.complete(whole, condition, this.calls.options),
      writeId: upload.writeId,
      looksFirst: false,
      otherKey: null,
    })
    this.way = 'nothing'
    if (published.outcome === 'delivered') await upload.over()
    else await this.calls.whenStoreAllows(() => upload.abort())
    return published
  }

  private async putWhole(): Promise<Published> {
    const {calls, checksums, claim, part, site, writeId, writtenBytes} = this
    const release = await site.sending.acquire(part.byteLength, this.ends)
    try {
      const body = await part.take()
      const checked = {content: body.bytes, checksum: checksums.whole()}
      const fields = () => claim.fields({sizeBytes: writtenBytes, sha256: checksums.sha256()})
      const published = await this.publish({
        write: (key, condition) => calls.put(key, checked, condition, fields()),
        writeId,
        looksFirst: false,
        otherKey: claim.otherKey,
      })
      // Only now: a request that failed may still be reading it.
      body.giveBack()
      return published
    } finally {
      release()
    }
  }

  private publish(
    how: Pick<Publication, 'write' | 'writeId' | 'looksFirst' | 'otherKey'>,
  ): Promise<Published> {
    const {conditions, clock} = this.site
    const look = (key: string) => this.calls.look(key)
    return publish({
      ...this.claim.of(this.writtenBytes, this.checksums.all()),
      ...how,
      conditions,
      look,
      clock,
    })
  }

  /** @throws OBJECT_CORRUPTED */
  private async readBack(key: string): Promise<void> {
    if (await this.calls.holds(key, this.writtenBytes, this.checksums.all().CRC32)) return
    throw new StreamtoolError('OBJECT_CORRUPTED', `${key}, read back, is not what was sent.`, {
      facts: {key, path: this.file.path},
      suggestions: [
        'Look at what lies between here and the store, and at the store itself.',
        'Remove that object: the next start writes it anew.',
      ],
    })
  }

  private replaced(key: string): StreamtoolError {
    const {path} = this.file
    return new StreamtoolError('OBJECT_CONFLICT', `${key} was replaced while ${path} was read.`, {
      facts: {key, path},
    })
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
