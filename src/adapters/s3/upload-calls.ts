/** The calls of multipart uploads. */
import {StreamtoolError} from '../../core/errors.js'
import {checksumField, checksumsIn} from './checksum.js'
import {requireEncrypted} from './customer-key.js'
import {type Body, type Condition, conditionFields, type ObjectFields, proofOf} from './requests.js'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from './sdk.js'
import type {CallOptions, StoreCalls} from './store-calls.js'
import {isRefusal} from './store-errors.js'

export interface UploadName {
  readonly key: string
  readonly uploadId: string
}

export interface StoredPart {
  readonly number: number
  readonly etag: string
  readonly sizeBytes: number
  /** Of the kind in use; null when the store does not say. */
  readonly checksum: string | null
}

interface PendingUpload extends UploadName {
  readonly initiatedMs: number
}

export class UploadCalls {
  constructor(private readonly calls: StoreCalls) {}

  async create(key: string, fields: ObjectFields, options: CallOptions = {}): Promise<string> {
    const {name, perRequest, wholeObject} = this.calls.checksums
    const answer = await this.calls.make('beginning', key, options, (s3, common, send) =>
      s3.send(
        new CreateMultipartUploadCommand({
          ...fields,
          ...common,
          ...this.calls.customerKey,
          Key: key,
          ...(perRequest ? {ChecksumAlgorithm: name} : {}),
          ...(wholeObject ? {ChecksumType: 'FULL_OBJECT' as const} : {}),
        }),
        send,
      ),
    )
    requireEncrypted(answer, this.calls.customerKey)
    if (answer.UploadId !== undefined) return answer.UploadId
    throw new StreamtoolError('STORE_UNREACHABLE', `The store began no upload for ${key}.`, {facts: {key}})
  }

  /** @throws {ObjectRefused} no-upload, corrupted */
  async putPart(
    {key, uploadId}: UploadName,
    number: number,
    body: Body,
    options: CallOptions = {},
  ): Promise<StoredPart> {
    const {ETag} = await this.calls.make(`writing part ${number} of`, key, options, (s3, common, send) =>
      s3.send(
        new UploadPartCommand({
          ...common,
          ...this.calls.customerKey,
          ...proofOf(body, this.calls.checksums),
          Key: key,
          UploadId: uploadId,
          PartNumber: number,
          Body: body.content,
        }),
        send,
      ),
    )
    return {number, etag: ETag ?? '', sizeBytes: body.content.length, checksum: body.checksum}
  }

  /** @throws {ObjectRefused} no-upload */
  async listParts({key, uploadId}: UploadName, options: CallOptions = {}): Promise<StoredPart[]> {
    const found: StoredPart[] = []
    let marker: string | undefined
    do {
      const page = await this.calls.make('listing the parts of', key, options, (s3, common, send) =>
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
      for (const part of page.Parts ?? []) {
        const {PartNumber: number, ETag: etag, Size: sizeBytes} = part
        if (number === undefined || etag === undefined || sizeBytes === undefined) continue
        found.push({number, etag, sizeBytes, checksum: checksumsIn(part)[this.calls.checksums.name] ?? null})
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return found
  }

  /** @throws {ObjectRefused} taken, conflict, no-upload, corrupted */
  async complete(
    {key, uploadId}: UploadName,
    parts: readonly StoredPart[],
    whole: {readonly checksum: string; readonly sizeBytes: number},
    condition: Condition,
    options: CallOptions = {},
  ): Promise<void> {
    const {name, perRequest, wholeObject} = this.calls.checksums
    await this.calls.make('completing', key, options, (s3, common, send) =>
      s3.send(
        new CompleteMultipartUploadCommand({
          ...common,
          ...this.calls.customerKey,
          ...conditionFields(condition),
          Key: key,
          UploadId: uploadId,
          MultipartUpload: {
            Parts: parts.map(({number, etag, checksum}) => ({
              PartNumber: number,
              ETag: etag,
              ...(perRequest && checksum !== null ? checksumField(name, checksum) : {}),
            })),
          },
          ...(wholeObject
            ? {
                ChecksumType: 'FULL_OBJECT',
                ...checksumField(name, whole.checksum),
                MpuObjectSize: whole.sizeBytes,
              }
            : {}),
        }),
        send,
      ),
    )
  }

  /** One that is over already is as good as aborted. */
  async abort({key, uploadId}: UploadName, options: CallOptions = {}): Promise<void> {
    try {
      await this.calls.make('ending the upload of', key, options, (s3, common, send) =>
        s3.send(new AbortMultipartUploadCommand({...common, Key: key, UploadId: uploadId}), send),
      )
    } catch (thrown) {
      if (!isRefusal(thrown, 'no-upload', 'absent')) throw thrown
    }
  }

  async list(prefix: string, options: CallOptions = {}): Promise<PendingUpload[]> {
    const found: PendingUpload[] = []
    let marker: {KeyMarker?: string; UploadIdMarker?: string} | undefined = {}
    while (marker !== undefined) {
      const from: {KeyMarker?: string; UploadIdMarker?: string} = marker
      const page = await this.calls.make('listing the uploads of', prefix, options, (s3, common, send) =>
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
}

const urlDecoded = (text: string): string => decodeURIComponent(text.replaceAll('+', '%20'))
