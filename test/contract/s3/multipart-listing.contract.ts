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
    promises('are listed by key and then by age, page by page, under a prefix', async () => {
      const begun: string[] = []
      for (const key of ['pages/a', 'pages/b', 'pages/b', 'pages/b', 'pages/c', 'other/x'])
        begun.push(`${key} ${(await beginUpload(client(), key)).uploadId}`)
      const seen: string[] = []
      for (let markers = {}; ;) {
        const page = await client().send(
          new ListMultipartUploadsCommand({Bucket: BUCKET, Prefix: 'pages/', MaxUploads: 2, ...markers}),
        )
        for (const {Key, UploadId, Initiated} of page.Uploads ?? []) {
          seen.push(`${Key} ${UploadId}`)
          expect(Math.abs(Initiated!.getTime() - Date.now())).toBeLessThan(60_000)
        }
        if (page.IsTruncated !== true) break
        markers = {KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker}
      }
      expect([...seen].sort()).toEqual(begun.filter((name) => name.startsWith('pages/')).sort())
      expect(seen.map((name) => name.split(' ')[0])).toEqual(
        [...seen].map((name) => name.split(' ')[0]).sort(),
      )
    })
  })
}
