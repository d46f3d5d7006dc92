/** Multipart uploads as the tests need them. */
import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {
  CompleteMultipartUploadCommand,
  type CompletedPart,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3'
import {BUCKET} from './suite.js'

export const PART_BYTES = 5 * 1024 ** 2
/** Two of the smallest size there may be, and a bit. */
export const PARTS = [
  Buffer.alloc(PART_BYTES, 'first '),
  Buffer.alloc(PART_BYTES, 'second '),
  Buffer.from('the end'),
]
export const WHOLE = Buffer.concat(PARTS)
const FULL_OBJECT = {ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'} as const

export function crc32Of(bytes: Buffer): string {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}

export const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

export interface TestUpload {
  readonly uploadId: string
  /** What was answered, as Complete wants it. */
  put(partNumber: number, bytes: Buffer, options?: Partial<UploadPartCommandInput>): Promise<CompletedPart>
  complete(
    parts: readonly CompletedPart[],
    options?: Partial<CompleteMultipartUploadCommandInput>,
  ): Promise<{readonly ETag?: string | undefined}>
}

/** By default with the CRC-32 of the whole object at its end. */
export async function beginUpload(
  client: S3Client,
  Key: string,
  options: Partial<CreateMultipartUploadCommandInput> = FULL_OBJECT,
): Promise<TestUpload> {
  const place = {Bucket: BUCKET, Key}
  const {UploadId = ''} = await client.send(new CreateMultipartUploadCommand({...place, ...options}))
  return {
    uploadId: UploadId,
    async put(PartNumber, Body, more = {}) {
      const algorithm = options.ChecksumAlgorithm && {ChecksumAlgorithm: options.ChecksumAlgorithm}
      const answer = await client.send(
        new UploadPartCommand({...place, UploadId, PartNumber, Body, ...algorithm, ...more}),
      )
      const {ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256} = answer
      return {
        PartNumber,
        ETag,
        ChecksumCRC32,
        ChecksumCRC32C,
        ChecksumCRC64NVME,
        ChecksumSHA1,
        ChecksumSHA256,
      }
    },
    complete(parts, more = {}) {
      const MultipartUpload = {Parts: [...parts]}
      return client.send(new CompleteMultipartUploadCommand({...place, UploadId, MultipartUpload, ...more}))
    },
  }
}

/** An upload of all parts, ready to be completed. */
export async function uploadAll(
  client: S3Client,
  key: string,
  options?: Partial<CreateMultipartUploadCommandInput>,
) {
  const upload = await beginUpload(client, key, options)
  const parts = await Promise.all(PARTS.map((bytes, index) => upload.put(index + 1, bytes)))
  return {upload, parts}
}
