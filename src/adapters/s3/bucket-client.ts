/**
 * The calls to a bucket that this adapter makes, those of multipart uploads in upload-calls.ts.
 *
 * Bodies are Buffers: the SDK signs them as they are, can send them again, and sends no `aws-chunked` framing, which
 * older stores keep as content.
 */
import {type Checksums, checksumsIn} from './checksum.js'
import {customerKeyId, requireEncrypted, usesCustomerKey} from './customer-key.js'
import {type HeldGeneration, generationOf} from './generation-metadata.js'
import {type Body, type Condition, conditionFields, type ObjectFields, proofOf} from './requests.js'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from './sdk.js'
import {type CallOptions, type ChecksumUse, StoreCalls, type StoreCallsParts} from './store-calls.js'
import {isRefusal} from './store-errors.js'
import {UploadCalls} from './upload-calls.js'
import {WrittenChecksums} from './written-checksums.js'

export interface HeldObject {
  readonly etag: string | null
  readonly sizeBytes: number
  /** Of the whole object; those that the store knows. */
  readonly checksums: Checksums
  /** Null when it is none of ours. */
  readonly generation: HeldGeneration | null
}

export class BucketClient {
  readonly uploads: UploadCalls
  private readonly calls: StoreCalls

  constructor(parts: StoreCallsParts) {
    this.calls = new StoreCalls(parts)
    this.uploads = new UploadCalls(this.calls)
  }

  get bucket(): string {
    return this.calls.parts.bucket
  }

  /** Tells keys of the user apart; null without one. */
  get customerKeyId(): string | null {
    return customerKeyId(this.calls.customerKey)
  }

  /** The store's clock less ours, as of its latest answer. */
  get clockOffsetMs(): number {
    return this.calls.parts.s3.config.systemClockOffset
  }

  get checksums(): ChecksumUse {
    return this.calls.checksums
  }

  set checksums(use: ChecksumUse) {
    this.calls.checksums = use
  }

  /** @throws BUCKET_UNKNOWN, STORE_FORBIDDEN, STORE_CREDENTIALS, STORE_UNREACHABLE */
  async headBucket(options: CallOptions = {}): Promise<void> {
    await this.calls.make('looking for the bucket', null, options, (s3, common, send) =>
      s3.send(new HeadBucketCommand(common), send),
    )
  }

  /** @throws {ObjectRefused} taken, conflict, corrupted, unsupported */
  async put(key: string, body: Body, condition: Condition, fields: ObjectFields, options: CallOptions = {}) {
    const answer = await this.calls.make('writing', key, options, (s3, common, send) =>
      s3.send(
        new PutObjectCommand({
          ...fields,
          ...common,
          ...this.calls.customerKey,
          ...conditionFields(condition),
          ...proofOf(body, this.checksums),
          Key: key,
          Body: body.content,
        }),
        send,
      ),
    )
    requireEncrypted(answer, this.calls.customerKey)
  }

  /** @returns null when there is no such object */
  async head(key: string, options: CallOptions = {}): Promise<HeldObject | null> {
    try {
      const answer = await this.headObject(key, options)
      const sizeBytes = answer.ContentLength ?? 0
      return {
        etag: answer.ETag ?? null,
        sizeBytes,
        checksums: answer.ChecksumType === 'COMPOSITE' ? {} : checksumsIn(answer),
        generation: generationOf(answer.Metadata ?? {}, sizeBytes),
      }
    } catch (thrown) {
      if (isRefusal(thrown, 'absent')) return null
      throw thrown
    }
  }

  /** Reads an object back. @returns its size and CRC-32; null when there is none */
  async readBack(key: string, options: CallOptions = {}): Promise<{sizeBytes: number; crc32: string} | null> {
    try {
      return await this.calls.make('reading back', key, options, async (s3, common, send) => {
        const {Body} = await s3.send(
          new GetObjectCommand({...common, ...this.calls.customerKey, Key: key}),
          send,
        )
        const read = new WrittenChecksums('CRC32')
        let sizeBytes = 0
        for await (const piece of Body as AsyncIterable<Buffer>) {
          sizeBytes += piece.length
          read.update(piece)
        }
        return {sizeBytes, crc32: read.whole()}
      })
    } catch (thrown) {
      if (isRefusal(thrown, 'absent')) return null
      throw thrown
    }
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    await this.calls.make('removing', key, options, (s3, common, send) =>
      s3.send(new DeleteObjectCommand({...common, Key: key}), send),
    )
  }

  close(): void {
    this.calls.parts.s3.destroy()
  }

  private headObject(key: string, options: CallOptions) {
    return this.calls.make('looking at', key, options, async (s3, common, send) => {
      const input = {...common, Key: key, ChecksumMode: 'ENABLED'} as const
      const {customerKey} = this.calls
      try {
        return await s3.send(new HeadObjectCommand({...input, ...customerKey}), send)
      } catch (thrown) {
        // An object that no such key was used for must be asked about without one.
        if (!usesCustomerKey(customerKey) || !isBadRequest(thrown)) throw thrown
        return await s3.send(new HeadObjectCommand(input), send)
      }
    })
  }
}

function isBadRequest(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    '$metadata' in thrown &&
    (thrown.$metadata as {httpStatusCode?: number}).httpStatusCode === 400
  )
}
