import {ListMultipartUploadsCommand, ListPartsCommand} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {BUCKET, type S3Contract} from './suite.js'
import {beginUpload, crc32Of} from './uploads.js'

export function multipartListingContract({client, promises}: S3Contract): void {
  describe('the parts of an upload', () => {
    promises('are listed in order, with their checksums, page by page', async () => {
      const upload = await beginUpload(client(), 'listed/parts')
      for (const number of [5, 3, 10, 1, 8]) await upload.put(number, Buffer.from(`part ${number}`))
      const seen: unknown[] = []
      for (let marker: string | undefined; ;) {
        const page = await client().send(
          new ListPartsCommand({
            ...{Bucket: BUCKET, Key: 'listed/parts', UploadId: upload.uploadId, MaxParts: 2},
            ...(marker && {PartNumberMarker: marker}),
          }),
        )
        expect(page).toMatchObject({ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'})
        for (const {PartNumber, Size, ChecksumCRC32} of page.Parts ?? [])
          seen.push([PartNumber, Size, ChecksumCRC32])
        if (page.IsTruncated !== true) break
        marker = page.NextPartNumberMarker
      }
      const expected = (number: number) => {
        const bytes = Buffer.from(`part ${number}`)
        return [number, bytes.length, crc32Of(bytes)]
      }
      expect(seen).toEqual([1, 3, 5, 8, 10].map(expected))
    })

    promises('are those of an upload that is there', async () => {
      const parts = client().send(
        new ListPartsCommand({Bucket: BUCKET, Key: 'listed/parts', UploadId: 'never-begun'}),
      )
      await expect(parts).rejects.toMatchObject({name: 'NoSuchUpload'})
    })
  })

  describe('uploads', () => {
    /** All under the prefix, as `key id`, two a page. */
    const listAll = async (prefix: string) => {
      const seen: string[] = []
      for (let markers = {}; ;) {
        const page = await client().send(
          new ListMultipartUploadsCommand({Bucket: BUCKET, Prefix: prefix, MaxUploads: 2, ...markers}),
        )
        for (const {Key, UploadId, Initiated} of page.Uploads ?? []) {
          seen.push(`${Key} ${UploadId}`)
          expect(Math.abs(Initiated!.getTime() - Date.now())).toBeLessThan(60_000)
        }
        if (page.IsTruncated !== true) return seen
        markers = {KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker}
      }
    }
    const begin = async (keys: readonly string[]) => {
      const begun: string[] = []
      for (const key of keys) begun.push(`${key} ${(await beginUpload(client(), key)).uploadId}`)
      return begun
    }

    promises('are listed by key under a prefix, page by page', async () => {
      const begun = await begin(['pages/b', 'pages/a', 'pages/d', 'pages/c', 'pages/e', 'other/x'])
      expect(await listAll('pages/')).toEqual(begun.filter((name) => name.startsWith('pages/')).sort())
    })

    promises('are listed from after a key', async () => {
      const begun = await begin(['after/a', 'after/b', 'after/c'])
      const {Uploads = []} = await client().send(
        new ListMultipartUploadsCommand({Bucket: BUCKET, Prefix: 'after/', KeyMarker: 'after/a'}),
      )
      expect(Uploads.map(({Key, UploadId}) => `${Key} ${UploadId}`)).toEqual(begun.slice(1))
    })

    promises('of one key are listed all, page by page', async () => {
      const begun = await begin(['same/a', 'same/b', 'same/b', 'same/b', 'same/c'])
      const seen = await listAll('same/')
      expect([...seen].sort()).toEqual([...begun].sort())
      expect(seen.map((name) => name.split(' ')[0])).toEqual(begun.map((name) => name.split(' ')[0]))
    })
  })
}
