import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {crc32} from 'node:zlib'
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {signedChunks, unsignedChunks} from '../../support/s3-chunked.js'
import {type RawRequest, sendRaw} from '../../support/s3-raw.js'
import {BUCKET, type S3Contract} from './suite.js'

const TEXT = '123456789'
/** Of the nine digits: the check values that the catalogues of CRCs give, and the hashes. */
export const CHECK_VALUES = {
  CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  SHA1: createHash('sha1').update(TEXT).digest('base64'),
  SHA256: createHash('sha256').update(TEXT).digest('base64'),
} as const
const ALGORITHMS = Object.keys(CHECK_VALUES) as (keyof typeof CHECK_VALUES)[]
const crc32Base64 = (bytes: Buffer) => {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}

export function checksumsContract({client, backend, promises}: S3Contract): void {
  const put = (Key: string, options: Partial<PutObjectCommandInput>) =>
    client().send(new PutObjectCommand({Bucket: BUCKET, Key, Body: TEXT, ...options}))
  const isThere = async (Key: string) => {
    const {ContentLength} = await client().send(new HeadObjectCommand({Bucket: BUCKET, Key}))
    return ContentLength
  }
  const expectNothing = (key: string) =>
    expect(isThere(key)).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})

  describe('a checksum', () => {
    for (const name of ALGORITHMS) {
      const value = CHECK_VALUES[name]
      promises(`${name} that is right is kept`, async () => {
        await put(`checksums/${name}`, {[`Checksum${name}`]: value})
        const found = await client().send(
          new HeadObjectCommand({Bucket: BUCKET, Key: `checksums/${name}`, ChecksumMode: 'ENABLED'}),
        )
        expect(found).toMatchObject({[`Checksum${name}`]: value, ChecksumType: 'FULL_OBJECT'})
      })

      promises(`${name} that is wrong is refused, and nothing is stored`, async () => {
        const bytes = Buffer.from(value, 'base64')
        bytes[0]! ^= 1
        const wrong = put(`checksums/${name}-wrong`, {[`Checksum${name}`]: bytes.toString('base64')})
        await expect(wrong).rejects.toMatchObject({name: 'BadDigest'})
        await expectNothing(`checksums/${name}-wrong`)
      })
    }

    promises('that is no checksum is refused', async () => {
      const wrong = put('checksums/none', {ChecksumCRC32: 'AAAA'})
      await expect(wrong).rejects.toMatchObject({name: 'InvalidRequest'})
      await expectNothing('checksums/none')
    })

    promises('MD5 that is wrong is refused, and one that is none', async () => {
      const md5 = (text: string) => createHash('md5').update(text).digest('base64')
      await put('checksums/md5', {ContentMD5: md5(TEXT)})
      await expect(put('checksums/md5-wrong', {ContentMD5: md5('other')})).rejects.toMatchObject({
        name: 'BadDigest',
      })
      await expect(put('checksums/md5-wrong', {ContentMD5: 'AAAA'})).rejects.toMatchObject({
        name: 'InvalidDigest',
      })
      await expectNothing('checksums/md5-wrong')
    })
  })

  describe('a body in chunks', () => {
    const big = Buffer.alloc(150_000, 'streamed')
    const send = (key: string, raw: Omit<RawRequest, 'path'>) =>
      sendRaw(backend(), {method: 'PUT', path: `/${BUCKET}/${key}`, ...raw})
    const unsigned = (key: string, trailers: Record<string, string>, length = big.length) =>
      send(key, {
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: {
          'content-encoding': 'aws-chunked',
          'x-amz-decoded-content-length': String(length),
          'x-amz-trailer': 'x-amz-checksum-crc32',
        },
        body: unsignedChunks([big.subarray(0, 65_536), big.subarray(65_536)], trailers),
      })
    const signed = (key: string, change: (body: Buffer) => Buffer = (body) => body) =>
      send(key, {
        payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        headers: {'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(big.length)},
        bodyFor: (request) => change(signedChunks(request, [big.subarray(0, 65_536), big.subarray(65_536)])),
      })
    const stored = async (key: string) => {
      const {Body} = await client().send(new GetObjectCommand({Bucket: BUCKET, Key: key}))
      return Buffer.from(await Body!.transformToByteArray())
    }

    promises('as AWS’s client streams it is stored without its framing', async () => {
      const Body = Readable.from([big.subarray(0, 70_000), big.subarray(70_000)])
      await put('chunks/streamed', {Body, ContentLength: big.length})
      expect((await stored('chunks/streamed')).equals(big)).toBe(true)
    })

    promises('with a right checksum after it is stored', async () => {
      expect(await unsigned('chunks/right', {'x-amz-checksum-crc32': crc32Base64(big)})).toMatchObject({
        status: 200,
      })
      expect((await stored('chunks/right')).equals(big)).toBe(true)
    })

    promises('with a wrong checksum after it is refused', async () => {
      const answer = await unsigned('chunks/wrong', {
        'x-amz-checksum-crc32': crc32Base64(Buffer.from('other')),
      })
      expect(answer).toMatchObject({status: 400, code: 'BadDigest'})
      await expectNothing('chunks/wrong')
    })

    promises('without the checksum that was announced is refused', async () => {
      expect((await unsigned('chunks/missing', {})).status).toBe(400)
      await expectNothing('chunks/missing')
    })

    promises('of another length than announced is refused', async () => {
      const answer = await unsigned(
        'chunks/short',
        {'x-amz-checksum-crc32': crc32Base64(big)},
        big.length + 1,
      )
      expect(answer.status).toBe(400)
      await expectNothing('chunks/short')
    })

    promises('with signed chunks is stored', async () => {
      expect(await signed('chunks/signed')).toMatchObject({status: 200})
      expect((await stored('chunks/signed')).equals(big)).toBe(true)
    })

    promises('with a byte changed under a signature is refused', async () => {
      const answer = await signed('chunks/changed', (body) => {
        body[100_000]! ^= 1
        return body
      })
      expect(answer).toMatchObject({status: 403, code: 'SignatureDoesNotMatch'})
      await expectNothing('chunks/changed')
    })
  })

  promises('a body that is not what its SHA-256 says is refused', async () => {
    const answer = await sendRaw(backend(), {
      method: 'PUT',
      path: `/${BUCKET}/sha256-wrong`,
      body: TEXT,
      payloadHash: createHash('sha256').update('other').digest('hex'),
    })
    expect(answer).toMatchObject({status: 400, code: 'XAmzContentSHA256Mismatch'})
    await expectNothing('sha256-wrong')
  })
}
