/**
 * The calls to a bucket that this adapter makes. Each is tried again while that may help, with full jitter: so a lost
 * reply may mean that it took effect, which `onDoubt` tells. What passes only by waiting, or not at all, is thrown.
 *
 * Bodies are Buffers: the SDK signs them as they are, can send them again, and sends no `aws-chunked` framing, which
 * older stores keep as content. Checksums are those that we computed when the bytes were read from the topic, not
 * some that are computed again from whatever is in memory now.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {StreamtoolError} from '../../core/errors.js'
import {type AdaptiveLimit, isAborted, pauseAfter} from '../../core/flow/index.js'
import type {Clock} from '../../core/ports/index.js'
import {crcText} from './checksum.js'
import type {RenewingCredentials} from './credentials.js'
import {type HeldGeneration, generationOf} from './generation-metadata.js'
import {failureOf, isRefusal, type Remedy} from './store-errors.js'

/** So often a call is tried before whoever made it waits for the end of an outage. */
const ATTEMPTS = 5
const BASE_MS: Readonly<Record<Remedy, number>> = {later: 100, slower: 1000, credentials: 50, again: 50}
const LONGEST_MS = 20_000
/** What does not mend itself by being tried often. */
const ATTEMPTS_FOR: Readonly<Partial<Record<Remedy, number>>> = {credentials: 2, again: 3}

export interface HeldObject {
  readonly etag: string | null
  readonly sizeBytes: number
  /** Of the whole object, or null when the store does not say. */
  readonly crc32: string | null
  /** Null when it is none of ours. */
  readonly generation: HeldGeneration | null
}

export interface StoredPart {
  readonly number: number
  readonly etag: string
  readonly sizeBytes: number
  readonly crc32: string | null
}

export interface PendingUpload {
  readonly key: string
  readonly uploadId: string
  readonly initiatedMs: number
}

/** `absent`: only if the key is free. An ETag: only if that is there. Null: whatever is there. */
export type Condition = 'absent' | {readonly etag: string} | null

export interface CallOptions {
  readonly signal?: AbortSignal
  /** An attempt failed; it may have taken effect all the same. */
  readonly onDoubt?: () => void
  /** Instead of the CRC-32 of the body as it is now: what it was when it came, or a wrong one to try the store. */
  readonly claimedCrc?: number
  /** So often it is tried at most. */
  readonly attempts?: number
}

export interface ChecksumUse {
  /** A CRC-32 with each body; an MD5 otherwise, which every store knows. */
  readonly perRequest: boolean
  /** The CRC-32 of the whole object at Complete. */
  readonly wholeObject: boolean
}

type Fields = Partial<PutObjectCommandInput & CreateMultipartUploadCommandInput>

export interface BucketClientParts {
  readonly s3: S3Client
  readonly bucket: string
  /** Common to all requests: who pays, whose bucket it must be. */
  readonly common: {readonly RequestPayer?: 'requester'; readonly ExpectedBucketOwner?: string}
  readonly credentials: RenewingCredentials | null
  readonly limit: AdaptiveLimit
  readonly clock: Clock
}

export class BucketClient {
  checksums: ChecksumUse = {perRequest: true, wholeObject: true}

  constructor(private readonly parts: BucketClientParts) {}

  get bucket(): string {
    return this.parts.bucket
  }

  get limit(): AdaptiveLimit {
    return this.parts.limit
  }

  /** @throws BUCKET_UNKNOWN, STORE_FORBIDDEN, STORE_CREDENTIALS, STORE_UNREACHABLE */
  async headBucket(options: CallOptions = {}): Promise<void> {
    await this.call('looking for the bucket', null, options, (s3, common, send) =>
      s3.send(new HeadBucketCommand(common), send),
    )
  }

  /** @throws {ObjectRefused} taken, conflict, corrupted, unsupported */
  async put(key: string, body: Buffer, condition: Condition, fields: Fields, options: CallOptions = {}) {
    await this.call('writing', key, options, (s3, common, send) =>
      s3.send(
        new PutObjectCommand({
          ...fields,
          ...common,
          ...conditionFields(condition),
          ...this.bodyChecksum(body, options.claimedCrc ?? crc32(body)),
          Key: key,
          Body: body,
        }),
        send,
      ),
    )
  }

  /** @returns null when there is no such object */
  async head(key: string, options: CallOptions = {}): Promise<HeldObject | null> {
    try {
      const {ETag, ContentLength, ChecksumCRC32, ChecksumType, Metadata} = await this.call(
        'looking at',
        key,
        options,
        (s3, common, send) =>
          s3.send(new HeadObjectCommand({...common, Key: key, ChecksumMode: 'ENABLED'}), send),
      )
      const sizeBytes = ContentLength ?? 0
      return {
        etag: ETag ?? null,
        sizeBytes,
        crc32: ChecksumType === 'COMPOSITE' ? null : (ChecksumCRC32 ?? null),
        generation: generationOf(Metadata ?? {}, sizeBytes),
      }
    } catch (thrown) {
      if (isRefusal(thrown, 'absent')) return null
      throw thrown
    }
  }

  /** Reads an object back. @returns its size and CRC-32; null when there is none */
  async readBack(key: string, options: CallOptions = {}): Promise<{sizeBytes: number; crc32: string} | null> {
    try {
      return await this.call('reading back', key, options, async (s3, common, send) => {
        const {Body} = await s3.send(new GetObjectCommand({...common, Key: key}), send)
        let [sizeBytes, crc] = [0, 0]
        for await (const piece of Body as AsyncIterable<Buffer>) {
          sizeBytes += piece.length
          crc = crc32(piece, crc)
        }
        return {sizeBytes, crc32: crcText(crc)}
      })
    } catch (thrown) {
      if (isRefusal(thrown, 'absent')) return null
      throw thrown
    }
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    await this.call('removing', key, options, (s3, common, send) =>
      s3.send(new DeleteObjectCommand({...common, Key: key}), send),
    )
  }

  async createUpload(key: string, fields: Fields, options: CallOptions = {}): Promise<string> {
    const {perRequest, wholeObject} = this.checksums
    const {UploadId} = await this.call('beginning', key, options, (s3, common, send) =>
      s3.send(
        new CreateMultipartUploadCommand({
          ...fields,
          ...common,
          Key: key,
          ...(perRequest ? {ChecksumAlgorithm: 'CRC32' as const} : {}),
          ...(wholeObject ? {ChecksumType: 'FULL_OBJECT' as const} : {}),
        }),
        send,
      ),
    )
    if (UploadId !== undefined) return UploadId
    throw new StreamtoolError('STORE_UNREACHABLE', `The store began no upload for ${key}.`, {facts: {key}})
  }

  /** @throws {ObjectRefused} no-upload, corrupted */
  async putPart(
    {key, uploadId}: {readonly key: string; readonly uploadId: string},
    number: number,
    body: Buffer,
    crc: number,
    options: CallOptions = {},
  ): Promise<StoredPart> {
    const {ETag} = await this.call(`writing part ${number} of`, key, options, (s3, common, send) =>
      s3.send(
        new UploadPartCommand({
          ...common,
          ...this.bodyChecksum(body, crc),
          Key: key,
          UploadId: uploadId,
          PartNumber: number,
          Body: body,
        }),
        send,
      ),
    )
    return {number, etag: ETag ?? '', sizeBytes: body.length, crc32: crcText(crc)}
  }

  /** @throws {ObjectRefused} no-upload */
  async listParts(
    {key, uploadId}: {readonly key: string; readonly uploadId: string},
    options: CallOptions = {},
  ): Promise<StoredPart[]> {
    const found: StoredPart[] = []
    let marker: string | undefined
    do {
      const page = await this.call('listing the parts of', key, options, (s3, common, send) =>
        s3.send(
          new ListPartsCommand({
            ...common,
            Key: key,
            UploadId: uploadId,
            ...(marker === undefined ? {} : {PartNumberMarker: marker}),
          }),
          send,
        ),
      )
      for (const {PartNumber, ETag, Size, ChecksumCRC32} of page.Parts ?? []) {
        if (PartNumber === undefined || ETag === undefined || Size === undefined) continue
        found.push({number: PartNumber, etag: ETag, sizeBytes: Size, crc32: ChecksumCRC32 ?? null})
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return found
  }

  /** @throws {ObjectRefused} taken, conflict, no-upload, corrupted */
  async completeUpload(
    {key, uploadId}: {readonly key: string; readonly uploadId: string},
    storedParts: readonly StoredPart[],
    whole: {readonly crc32: string; readonly sizeBytes: number},
    condition: Condition,
    options: CallOptions = {},
  ): Promise<void> {
    const {perRequest, wholeObject} = this.checksums
    await this.call('completing', key, options, (s3, common, send) =>
      s3.send(
        new CompleteMultipartUploadCommand({
          ...common,
          ...conditionFields(condition),
          Key: key,
          UploadId: uploadId,
          MultipartUpload: {
            Parts: storedParts.map(({number, etag, crc32: crc}) => ({
              PartNumber: number,
              ETag: etag,
              ...(perRequest && crc !== null ? {ChecksumCRC32: crc} : {}),
            })),
          },
          ...(wholeObject
            ? {ChecksumType: 'FULL_OBJECT', ChecksumCRC32: whole.crc32, MpuObjectSize: whole.sizeBytes}
            : {}),
        }),
        send,
      ),
    )
  }

  /** One that is over already is as good as aborted. */
  async abortUpload(
    {key, uploadId}: {readonly key: string; readonly uploadId: string},
    options: CallOptions = {},
  ): Promise<void> {
    try {
      await this.call('ending the upload of', key, options, (s3, common, send) =>
        s3.send(new AbortMultipartUploadCommand({...common, Key: key, UploadId: uploadId}), send),
      )
    } catch (thrown) {
      if (!isRefusal(thrown, 'no-upload', 'absent')) throw thrown
    }
  }

  async listUploads(prefix: string, options: CallOptions = {}): Promise<PendingUpload[]> {
    const found: PendingUpload[] = []
    let marker: {KeyMarker?: string; UploadIdMarker?: string} | undefined = {}
    while (marker !== undefined) {
      const from: {KeyMarker?: string; UploadIdMarker?: string} = marker
      const page = await this.call('listing the uploads of', prefix, options, (s3, common, send) =>
        s3.send(
          // Keys may hold what XML may not.
          new ListMultipartUploadsCommand({...common, ...from, Prefix: prefix, EncodingType: 'url'}),
          send,
        ),
      )
      const decode = page.EncodingType === 'url' ? urlDecoded : (text: string) => text
      for (const {Key, UploadId, Initiated} of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined) continue
        found.push({key: decode(Key), uploadId: UploadId, initiatedMs: Initiated?.getTime() ?? NaN})
      }
      marker =
        page.IsTruncated === true && page.NextKeyMarker !== undefined
          ? {
              KeyMarker: decode(page.NextKeyMarker),
              ...(page.NextUploadIdMarker === undefined ? {} : {UploadIdMarker: page.NextUploadIdMarker}),
            }
          : undefined
    }
    return found
  }

  close(): void {
    this.parts.s3.destroy()
  }

  private bodyChecksum(body: Buffer, crc: number) {
    return this.checksums.perRequest
      ? {ChecksumCRC32: crcText(crc)}
      : {ContentMD5: createHash('md5').update(body).digest('base64')}
  }

  private async call<T>(
    doing: string,
    key: string | null,
    {signal, onDoubt, attempts = ATTEMPTS}: CallOptions,
    request: (
      s3: S3Client,
      common: {Bucket: string; RequestPayer?: 'requester'; ExpectedBucketOwner?: string},
      send: {abortSignal?: AbortSignal},
    ) => Promise<T>,
  ): Promise<T> {
    const {s3, bucket, common, credentials, limit, clock} = this.parts
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      const used = credentials?.current ?? null
      try {
        return await limit.run(
          () => request(s3, {Bucket: bucket, ...common}, signal === undefined ? {} : {abortSignal: signal}),
          (thrown) => failureOf(thrown, doing, {}).remedy === 'slower',
          signal,
        )
      } catch (thrown) {
        if (signal !== undefined && isAborted(signal)) throw signal.reason
        const what = key === null ? doing : `${doing} ${key}`
        const {error, remedy} = failureOf(thrown, what, {bucket, ...(key === null ? {} : {key})})
        onDoubt?.()
        if (remedy === 'credentials') credentials?.expire(used)
        if (remedy === null || attempt >= Math.min(attempts, ATTEMPTS_FOR[remedy] ?? ATTEMPTS)) throw error
        const mostMs = pauseAfter(attempt, {initialMs: BASE_MS[remedy], maxMs: LONGEST_MS})
        await clock.sleep(Math.random() * mostMs, signal)
      }
    }
  }
}

function conditionFields(condition: Condition): {IfNoneMatch?: '*'; IfMatch?: string} {
  if (condition === null) return {}
  return condition === 'absent' ? {IfNoneMatch: '*'} : {IfMatch: condition.etag}
}

const urlDecoded = (text: string): string => decodeURIComponent(text.replaceAll('+', '%20'))
