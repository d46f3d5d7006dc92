import {PutObjectCommand, S3Client, UploadPartCommand} from '@aws-sdk/client-s3'
import {describe, expect, it} from 'vitest'
import {leaveBodiesUnsigned} from '../../../../src/adapters/s3/unsigned-bodies.js'

const BODY = Buffer.from('content')
const SHA256_OF_BODY = 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73'

/** What a client sends, which goes nowhere. */
async function sentBy(
  protocol: 'http' | 'https',
  send: (s3: S3Client) => Promise<unknown>,
): Promise<Record<string, string>> {
  let sent: Record<string, string> = {}
  const s3 = new S3Client({
    region: 'eu-central-1',
    endpoint: `${protocol}://store.example`,
    forcePathStyle: true,
    credentials: {accessKeyId: 'a', secretAccessKey: 'b'},
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: {
      handle: async ({headers}: {headers: Record<string, string>}) => {
        sent = headers
        throw new Error('sent nowhere')
      },
    },
  })
  leaveBodiesUnsigned(s3)
  await expect(send(s3)).rejects.toThrow('sent nowhere')
  return sent
}

const put =
  (proof: object) =>
  (s3: S3Client): Promise<unknown> =>
    s3.send(new PutObjectCommand({Bucket: 'b', Key: 'k', Body: BODY, ...proof}))

describe('bodies', () => {
  it.each([
    ['a CRC-32', put({ChecksumCRC32: 'AAAAAA=='})],
    ['an MD5', put({ContentMD5: 'mgNkuembtIDdJeHwKEyFVQ=='})],
    [
      'a checksum, as parts,',
      (s3: S3Client) =>
        s3.send(
          new UploadPartCommand({
            ...{Bucket: 'b', Key: 'k', UploadId: 'u', PartNumber: 1},
            ...{Body: BODY, ChecksumCRC32C: 'AAAAAA=='},
          }),
        ),
    ],
  ])('with %s are not hashed once more for the signature through TLS, but in plain text', async (_, send) => {
    expect((await sentBy('https', send))['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD')
    const plain = await sentBy('http', send)
    expect(plain['x-amz-content-sha256']).toBe(SHA256_OF_BODY)
    expect(plain['authorization']).toContain('x-amz-content-sha256')
  })

  it('that nothing else proves are signed everywhere', async () => {
    expect((await sentBy('https', put({})))['x-amz-content-sha256']).toBe(SHA256_OF_BODY)
  })
})
