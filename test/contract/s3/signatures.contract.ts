import {HeadObjectCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {s3Client} from '../../support/s3-client.js'
import {exchange, presign, sendRaw} from '../../support/s3-raw.js'
import {BUCKET, type S3Contract} from './suite.js'

const MINUTE_MS = 60_000

export function signaturesContract({client, backend, promises}: S3Contract): void {
  const path = `/${BUCKET}/signed`
  const put = async () => {
    await client().send(new PutObjectCommand({Bucket: BUCKET, Key: 'signed', Body: 'content'}))
  }

  describe('a request', () => {
    promises('with another secret is refused', async () => {
      const stranger = s3Client({...backend(), secretAccessKey: 'guessed'})
      const written = stranger.send(new PutObjectCommand({Bucket: BUCKET, Key: 'stranger', Body: 'x'}))
      await expect(written).rejects.toMatchObject({name: 'SignatureDoesNotMatch'})
      const found = client().send(new HeadObjectCommand({Bucket: BUCKET, Key: 'stranger'}))
      await expect(found).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('of nobody that is known is refused', async () => {
      const answer = await sendRaw({...backend(), accessKeyId: 'nobody'}, {path})
      expect(answer).toMatchObject({status: 403, code: 'InvalidAccessKeyId'})
    })

    promises('without a signature is refused', async () => {
      const {endpoint} = backend()
      const answer = await exchange(endpoint, 'GET', path)
      expect(answer).toMatchObject({status: 403, code: 'AccessDenied'})
    })

    promises('signed long ago, or in the future, is refused', async () => {
      for (const minutes of [-16, 16]) {
        const at = new Date(Date.now() + minutes * MINUTE_MS)
        expect(await sendRaw(backend(), {path, at})).toMatchObject({
          status: 403,
          code: 'RequestTimeTooSkewed',
        })
      }
    })

    promises('signed a few minutes ago is taken', async () => {
      await put()
      const at = new Date(Date.now() - 10 * MINUTE_MS)
      expect(await sendRaw(backend(), {path, at})).toMatchObject({status: 200, text: 'content'})
    })

    promises('for another region is refused, which says the right one', async () => {
      const answer = await sendRaw({...backend(), region: 'eu-north-9'}, {path})
      expect(answer).toMatchObject({status: 400, code: 'AuthorizationHeaderMalformed'})
      expect(answer.text).toContain(`<Region>${backend().region}</Region>`)
    })

    promises('whose headers were changed is refused', async () => {
      const answer = await sendRaw(backend(), {
        method: 'PUT',
        path,
        body: 'x',
        headers: {'x-amz-meta-a': 'signed'},
        tamper: (headers) => (headers['x-amz-meta-a'] = 'changed'),
      })
      expect(answer).toMatchObject({status: 403, code: 'SignatureDoesNotMatch'})
    })

    promises('with headers of AWS that are not signed is refused', async () => {
      const answer = await sendRaw(backend(), {
        method: 'PUT',
        path,
        body: 'x',
        tamper: (headers) => (headers['x-amz-storage-class'] = 'GLACIER'),
      })
      expect(answer).toMatchObject({status: 403, code: 'AccessDenied'})
    })
  })

  describe('a presigned address', () => {
    promises('reads and writes without further credentials', async () => {
      const {endpoint} = backend()
      const target = presign(backend(), {method: 'PUT', path: `/${BUCKET}/presigned`, expiresS: 60})
      expect(await exchange(endpoint, 'PUT', target, {}, 'by address')).toMatchObject({status: 200})
      const source = presign(backend(), {method: 'GET', path: `/${BUCKET}/presigned`, expiresS: 60})
      expect(await exchange(endpoint, 'GET', source)).toMatchObject({status: 200, text: 'by address'})
      expect(await exchange(endpoint, 'DELETE', source)).toMatchObject({status: 403})
    })

    promises('is good for as long as it says', async () => {
      await put()
      const at = new Date(Date.now() - MINUTE_MS)
      const late = presign(backend(), {method: 'GET', path, expiresS: 30, at})
      expect(await exchange(backend().endpoint, 'GET', late)).toMatchObject({
        status: 403,
        code: 'AccessDenied',
      })
    })
  })
}
