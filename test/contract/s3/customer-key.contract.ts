import {randomBytes} from 'node:crypto'
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {BUCKET, type S3Contract} from './suite.js'
import {beginUpload, PARTS, WHOLE} from './uploads.js'

const SSE_C = {SSECustomerAlgorithm: 'AES256', SSECustomerKey: randomBytes(32).toString('base64')} as const
const OTHER = {...SSE_C, SSECustomerKey: randomBytes(32).toString('base64')}
const refusedWith = (httpStatusCode: number) => ({$metadata: {httpStatusCode}})

export function customerKeyContract({client, promises}: S3Contract): void {
  const put = (Key: string, options: Partial<PutObjectCommandInput> = {}) =>
    client().send(new PutObjectCommand({Bucket: BUCKET, Key, Body: 'content', ...options}))
  const get = async (Key: string, options = {}) => {
    const {Body} = await client().send(new GetObjectCommand({Bucket: BUCKET, Key, ...options}))
    return Body!.transformToString()
  }
  const head = (Key: string, options = {}) =>
    client().send(new HeadObjectCommand({Bucket: BUCKET, Key, ...options}))

  describe('a key of the customer (SSE-C)', () => {
    promises('is said to be used, and is needed for reading', async () => {
      expect(await put('sse-c/a', SSE_C)).toMatchObject({SSECustomerAlgorithm: 'AES256'})
      expect(await get('sse-c/a', SSE_C)).toBe('content')
      await expect(get('sse-c/a')).rejects.toMatchObject(refusedWith(400))
      await expect(head('sse-c/a')).rejects.toMatchObject(refusedWith(400))
      await expect(get('sse-c/a', OTHER)).rejects.toMatchObject(refusedWith(403))
    })

    promises('is refused for an object that has none', async () => {
      await put('sse-c/plain')
      await expect(head('sse-c/plain', SSE_C)).rejects.toMatchObject(refusedWith(400))
    })

    promises('that is no key of 256 bits is refused', async () => {
      const short = {...SSE_C, SSECustomerKey: 'short'}
      await expect(put('sse-c/short', short)).rejects.toMatchObject(refusedWith(400))
    })

    promises('goes with every part', async () => {
      const upload = await beginUpload(client(), 'sse-c/parts', SSE_C)
      await expect(upload.put(1, PARTS[0]!)).rejects.toMatchObject(refusedWith(400))
      const parts = [await upload.put(1, PARTS[0]!, SSE_C), await upload.put(2, PARTS[2]!, SSE_C)]
      await upload.complete(parts, SSE_C)
      expect(await head('sse-c/parts', SSE_C)).toMatchObject({
        ContentLength: WHOLE.length - PARTS[1]!.length,
        SSECustomerAlgorithm: 'AES256',
      })
    })
  })
}
