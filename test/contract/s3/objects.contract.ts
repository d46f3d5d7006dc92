import {createHash, randomBytes} from 'node:crypto'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {BUCKET, type S3Contract} from './suite.js'

export function objectsContract({client, promises}: S3Contract): void {
  const put = (Key: string, Body: string | Buffer, options: Partial<PutObjectCommandInput> = {}) =>
    client().send(new PutObjectCommand({Bucket: BUCKET, Key, Body, ...options}))
  const head = (Key: string) => client().send(new HeadObjectCommand({Bucket: BUCKET, Key}))
  const read = async (Key: string, Range?: string) => {
    const got = await client().send(new GetObjectCommand({Bucket: BUCKET, Key, ...(Range && {Range})}))
    return {...got, bytes: Buffer.from(await got.Body!.transformToByteArray())}
  }

  describe('an object', () => {
    promises('comes back as it was put', async () => {
      const body = randomBytes(200_000)
      const {ETag} = await put('objects/plain', body, {ContentType: 'image/x-test', CacheControl: 'no-store'})
      expect(ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`)
      const got = await read('objects/plain')
      expect(got.bytes.equals(body)).toBe(true)
      expect(got).toMatchObject({
        ETag,
        ContentLength: 200_000,
        ContentType: 'image/x-test',
        CacheControl: 'no-store',
      })
      expect(Math.abs(got.LastModified!.getTime() - Date.now())).toBeLessThan(60_000)
    })

    promises('may be empty', async () => {
      await put('objects/empty', '')
      expect((await read('objects/empty')).bytes).toHaveLength(0)
      expect(await head('objects/empty')).toMatchObject({ContentLength: 0})
    })

    promises('may have an odd name', async () => {
      for (const key of [
        'objects/a b+c%20d',
        'objects/Übersicht 3µm.csv',
        "objects/(it's)!*~$&=;:@,?#",
        'objects/🦊/x',
      ]) {
        await put(key, key)
        expect((await read(key)).bytes.toString(), key).toBe(key)
      }
    })

    promises('may have dots and slashes in its name that mean nothing', async () => {
      for (const key of [
        'objects//double',
        'objects/./dot',
        'objects/x/../dots',
        'objects/file',
        'objects/file/below',
      ]) {
        await put(key, key)
        expect((await read(key)).bytes.toString(), key).toBe(key)
      }
    })

    promises('keeps its metadata, tags and headers', async () => {
      const given = {
        Metadata: {'source-path': 'a/b', sha512: 'f'.repeat(128)},
        ContentEncoding: 'gzip',
        StorageClass: 'STANDARD',
      } as const
      await put('objects/metadata', 'x', {...given, Tagging: 'lab=7&run=a%20b'})
      expect(await head('objects/metadata')).toMatchObject({
        Metadata: given.Metadata,
        ContentEncoding: 'gzip',
      })
      const {TagSet} = await client().send(
        new GetObjectTaggingCommand({Bucket: BUCKET, Key: 'objects/metadata'}),
      )
      expect(TagSet).toEqual(
        expect.arrayContaining([
          {Key: 'lab', Value: '7'},
          {Key: 'run', Value: 'a b'},
        ]),
      )
    })

    promises('has 2 KB of metadata at most', async () => {
      const tooMuch = put('objects/too-much', 'x', {Metadata: {a: 'b'.repeat(2048)}})
      await expect(tooMuch).rejects.toMatchObject({name: 'MetadataTooLarge'})
    })

    promises('has ten tags at most', async () => {
      const Tagging = Array.from({length: 11}, (_, index) => `k${index}=v`).join('&')
      await expect(put('objects/too-many', 'x', {Tagging})).rejects.toMatchObject({
        $metadata: {httpStatusCode: 400},
      })
    })

    promises('has a name of 1,024 bytes at most', async () => {
      await expect(put(`objects/${'k'.repeat(1017)}`, 'x')).rejects.toMatchObject({name: 'KeyTooLongError'})
    })

    promises('is replaced as a whole', async () => {
      await put('objects/replaced', 'first', {Metadata: {first: '1'}})
      await put('objects/replaced', 'second', {Metadata: {second: '2'}})
      expect((await read('objects/replaced')).Metadata).toEqual({second: '2'})
      expect((await read('objects/replaced')).bytes.toString()).toBe('second')
    })

    promises('is read in part', async () => {
      await put('objects/ranges', '0123456789')
      const range = async (text: string) => {
        const {bytes, ContentRange} = await read('objects/ranges', text)
        return [bytes.toString(), ContentRange]
      }
      expect(await range('bytes=0-0')).toEqual(['0', 'bytes 0-0/10'])
      expect(await range('bytes=4-')).toEqual(['456789', 'bytes 4-9/10'])
      expect(await range('bytes=-3')).toEqual(['789', 'bytes 7-9/10'])
      expect(await range('bytes=8-100')).toEqual(['89', 'bytes 8-9/10'])
      await expect(range('bytes=10-')).rejects.toMatchObject({name: 'InvalidRange'})
    })

    promises('is missed by name', async () => {
      await expect(read('objects/missing')).rejects.toMatchObject({name: 'NoSuchKey'})
      await expect(head('objects/missing')).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('is deleted, again and again', async () => {
      await put('objects/deleted', 'x')
      for (let time = 0; time < 2; time++)
        await client().send(new DeleteObjectCommand({Bucket: BUCKET, Key: 'objects/deleted'}))
      await expect(head('objects/deleted')).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('is deleted together with others', async () => {
      const keys = ['objects/d/1', 'objects/d/<2>&', 'objects/d/not-there']
      for (const key of keys.slice(0, 2)) await put(key, 'x')
      const Objects = keys.map((Key) => ({Key}))
      const {Deleted, Errors = []} = await client().send(
        new DeleteObjectsCommand({Bucket: BUCKET, Delete: {Objects}}),
      )
      expect([Deleted?.map(({Key}) => Key).sort(), Errors]).toEqual([[...keys].sort(), []])
      await expect(head('objects/d/<2>&')).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('is copied, with other metadata if wanted', async () => {
      await put('objects/ü original', 'copied', {Metadata: {is: 'original'}})
      const CopySource = encodeURI(`${BUCKET}/objects/ü original`)
      await client().send(new CopyObjectCommand({Bucket: BUCKET, Key: 'objects/copy', CopySource}))
      await client().send(
        new CopyObjectCommand({
          ...{Bucket: BUCKET, Key: 'objects/other-copy', CopySource},
          ...{MetadataDirective: 'REPLACE', Metadata: {is: 'copy'}},
        }),
      )
      await client().send(new DeleteObjectCommand({Bucket: BUCKET, Key: 'objects/ü original'}))
      const [copy, other] = [await read('objects/copy'), await read('objects/other-copy')]
      expect([copy.bytes.toString(), copy.Metadata]).toEqual(['copied', {is: 'original'}])
      expect([other.bytes.toString(), other.Metadata]).toEqual(['copied', {is: 'copy'}])
    })
  })
}
