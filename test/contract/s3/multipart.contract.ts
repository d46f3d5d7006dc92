import {createHash} from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {checksumOf} from '../../../src/sandbox/bucket/checksums/algorithms.js'
import {outcome} from './outcome.js'
import {BUCKET, type S3Contract} from './suite.js'
import {beginUpload, crc32Of, PART_BYTES, PARTS, sha256Of, uploadAll, WHOLE} from './uploads.js'

const FULL_OBJECT_CHECKSUMS = ['CRC32', 'CRC32C', 'CRC64NVME'] as const
const RIGHT = {ChecksumCRC32: crc32Of(WHOLE), ChecksumType: 'FULL_OBJECT'} as const

export function multipartContract({client, promises}: S3Contract): void {
  const head = (Key: string) =>
    client().send(new HeadObjectCommand({Bucket: BUCKET, Key, ChecksumMode: 'ENABLED'}))
  const expectNothing = (key: string) =>
    expect(head(key)).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})

  describe('a multipart upload', () => {
    promises('becomes one object, whatever the order of its parts', async () => {
      const upload = await beginUpload(client(), 'multipart/plain', {
        ...{ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'},
        ...{ContentType: 'text/x-test', Metadata: {is: 'multipart'}, Tagging: 'a=b'},
      })
      const [third, first, second] = [
        await upload.put(3, PARTS[2]!),
        await upload.put(1, PARTS[0]!),
        await upload.put(2, PARTS[1]!),
      ]
      await expectNothing('multipart/plain')
      await upload.complete([first, second, third], {...RIGHT, MpuObjectSize: WHOLE.length, IfNoneMatch: '*'})

      const got = await client().send(new GetObjectCommand({Bucket: BUCKET, Key: 'multipart/plain'}))
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(WHOLE)).toBe(true)
      const md5s = PARTS.map((part) => createHash('md5').update(part).digest())
      expect(await head('multipart/plain')).toMatchObject({
        ETag: `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`,
        ContentType: 'text/x-test',
        Metadata: {is: 'multipart'},
        ...RIGHT,
      })
    })

    promises('is read across the borders of its parts', async () => {
      const {upload, parts} = await uploadAll(client(), 'multipart/range')
      await upload.complete(parts)
      const Range = `bytes=${PART_BYTES - 5}-${2 * PART_BYTES + 3}`
      const got = await client().send(new GetObjectCommand({Bucket: BUCKET, Key: 'multipart/range', Range}))
      const bytes = Buffer.from(await got.Body!.transformToByteArray())
      expect(bytes.equals(WHOLE.subarray(PART_BYTES - 5, 2 * PART_BYTES + 4))).toBe(true)
    })

    promises('with a wrong checksum of the whole is refused, and can still be completed', async () => {
      const {upload, parts} = await uploadAll(client(), 'multipart/wrong')
      const wrong = upload.complete(parts, {...RIGHT, ChecksumCRC32: crc32Of(Buffer.from('other'))})
      await expect(wrong).rejects.toMatchObject({name: 'BadDigest'})
      await expectNothing('multipart/wrong')
      await upload.complete(parts, RIGHT)
    })

    promises('of another size than announced is refused', async () => {
      const {upload, parts} = await uploadAll(client(), 'multipart/size')
      const wrong = upload.complete(parts, {...RIGHT, MpuObjectSize: WHOLE.length - 1})
      await expect(wrong).rejects.toMatchObject({$metadata: {httpStatusCode: 400}})
      await expectNothing('multipart/size')
    })

    promises('may take part of its parts, and parts may be sent again', async () => {
      const upload = await beginUpload(client(), 'multipart/again')
      await upload.put(7, Buffer.from('not wanted'))
      await upload.put(2, Buffer.from('first try'))
      const second = await upload.put(2, PARTS[2]!)
      const first = await upload.put(1, PARTS[0]!)
      const whole = Buffer.concat([PARTS[0]!, PARTS[2]!])
      await upload.complete([first, second], {...RIGHT, ChecksumCRC32: crc32Of(whole)})
      expect(await head('multipart/again')).toMatchObject({ContentLength: whole.length})
    })

    promises('with SHA-256 has a checksum of checksums', async () => {
      const {upload, parts} = await uploadAll(client(), 'multipart/sha256', {ChecksumAlgorithm: 'SHA256'})
      expect(parts[0]!.ChecksumSHA256).toBe(sha256Of(PARTS[0]!).toString('base64'))
      await upload.complete(parts)
      const composite = sha256Of(Buffer.concat(PARTS.map(sha256Of))).toString('base64')
      expect(await head('multipart/sha256')).toMatchObject({
        ChecksumSHA256: `${composite}-3`,
        ChecksumType: 'COMPOSITE',
      })
    })

    for (const name of FULL_OBJECT_CHECKSUMS)
      promises(`with ${name} is checked as a whole, and read with it`, async () => {
        const key = `multipart/${name}`
        const {upload, parts} = await uploadAll(client(), key, {
          ChecksumAlgorithm: name,
          ChecksumType: 'FULL_OBJECT',
        })
        const right = checksumOf(name, WHOLE)
        const whole = (checksum: Buffer) => ({
          ...{[`Checksum${name}`]: checksum.toString('base64')},
          ChecksumType: 'FULL_OBJECT' as const,
        })
        const wrong = Buffer.from(right)
        wrong[0]! ^= 1
        await expect(upload.complete(parts, whole(wrong))).rejects.toMatchObject({name: 'BadDigest'})
        await expectNothing(key)
        await upload.complete(parts, whole(right))
        const got = await client().send(
          new GetObjectCommand({Bucket: BUCKET, Key: key, ChecksumMode: 'ENABLED'}),
        )
        // AWS's client compares it with what it reads.
        expect(await got.Body!.transformToByteArray()).toHaveLength(WHOLE.length)
        expect(got).toMatchObject(whole(right))
      })

    promises('that is aborted is gone', async () => {
      const {upload, parts} = await uploadAll(client(), 'multipart/aborted')
      const UploadId = upload.uploadId
      const abort = () =>
        client().send(new AbortMultipartUploadCommand({Bucket: BUCKET, Key: 'multipart/aborted', UploadId}))
      await abort()
      await expect(upload.complete(parts)).rejects.toMatchObject({name: 'NoSuchUpload'})
      await expect(upload.put(4, Buffer.from('x'))).rejects.toMatchObject({name: 'NoSuchUpload'})
      await expectNothing('multipart/aborted')
    })
  })

  describe('completing is refused', () => {
    promises('when a part before the last is smaller than 5 MiB', async () => {
      const upload = await beginUpload(client(), 'refused/small')
      const parts = [await upload.put(1, Buffer.alloc(PART_BYTES - 1)), await upload.put(2, Buffer.from('x'))]
      await expect(upload.complete(parts)).rejects.toMatchObject({name: 'EntityTooSmall'})
    })

    promises('when a part was not uploaded, or is not as it is named', async () => {
      const upload = await beginUpload(client(), 'refused/part')
      const part = await upload.put(1, Buffer.from('x'))
      const missing = upload.complete([{...part, PartNumber: 2}])
      await expect(missing).rejects.toMatchObject({name: 'InvalidPart'})
      const other = upload.complete([{...part, ETag: '"5d41402abc4b2a76b9719d911017c592"'}])
      await expect(other).rejects.toMatchObject({name: 'InvalidPart'})
    })

    promises('when the checksum of a part is not as it is named', async () => {
      const upload = await beginUpload(client(), 'refused/checksum')
      const part = await upload.put(1, Buffer.from('x'))
      const other = upload.complete([{...part, ChecksumCRC32: crc32Of(Buffer.from('y'))}])
      await expect(other).rejects.toMatchObject({$metadata: {httpStatusCode: 400}})
      await expectNothing('refused/checksum')
    })

    promises('when parts are out of order', async () => {
      const {upload, parts} = await uploadAll(client(), 'refused/order')
      const [first, second, third] = parts
      await expect(upload.complete([second!, first!, third!])).rejects.toMatchObject({
        name: 'InvalidPartOrder',
      })
    })

    promises('when no part is named', async () => {
      const upload = await beginUpload(client(), 'refused/none')
      await expect(upload.complete([])).rejects.toMatchObject({name: 'MalformedXML'})
    })

    promises('when there is an object already, and must not be', async () => {
      await client().send(new PutObjectCommand({Bucket: BUCKET, Key: 'refused/there', Body: 'x'}))
      const {upload, parts} = await uploadAll(client(), 'refused/there')
      await expect(upload.complete(parts, {...RIGHT, IfNoneMatch: '*'})).rejects.toMatchObject({
        name: 'PreconditionFailed',
      })
      expect(await head('refused/there')).toMatchObject({ContentLength: 1})
      const {ETag} = await head('refused/there')
      await upload.complete(parts, {...RIGHT, IfMatch: ETag})
      expect(await head('refused/there')).toMatchObject({ContentLength: WHOLE.length})
    })

    promises('when another upload was faster', async () => {
      const uploads = await Promise.all([1, 2, 3].map(() => beginUpload(client(), 'refused/race')))
      const outcomes = await Promise.all(
        uploads.map(async (upload) => {
          const part = await upload.put(1, Buffer.from('x'))
          return outcome(upload.complete([part], {IfNoneMatch: '*'}))
        }),
      )
      expect(outcomes.filter((name) => name === 'done')).toHaveLength(1)
      for (const name of outcomes)
        expect(['done', 'PreconditionFailed', 'ConditionalRequestConflict']).toContain(name)
    })
  })

  promises('a part has a number from 1 to 10,000', async () => {
    const upload = await beginUpload(client(), 'multipart/numbers')
    await upload.put(10_000, Buffer.from('x'))
    for (const number of [0, 10_001])
      await expect(upload.put(number, Buffer.from('x'))).rejects.toMatchObject({name: 'InvalidArgument'})
  })

  promises('a part whose checksum is wrong is refused', async () => {
    const {uploadId: UploadId} = await beginUpload(client(), 'multipart/part')
    const wrong = client().send(
      new UploadPartCommand({
        ...{Bucket: BUCKET, Key: 'multipart/part', UploadId, PartNumber: 1},
        ...{Body: 'x', ChecksumCRC32: crc32Of(Buffer.from('y'))},
      }),
    )
    await expect(wrong).rejects.toMatchObject({name: 'BadDigest'})
  })

  promises('an upload that was never begun is missed', async () => {
    const upload = await beginUpload(client(), 'multipart/other-key')
    const got = client().send(
      new AbortMultipartUploadCommand({Bucket: BUCKET, Key: 'multipart/mistaken', UploadId: upload.uploadId}),
    )
    await expect(got).rejects.toMatchObject({name: 'NoSuchUpload'})
  })
}
