import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {BUCKET, type S3Contract} from './suite.js'

export function bucketsContract({client, promises}: S3Contract): void {
  describe('buckets', () => {
    promises('are made, listed, found and deleted', async () => {
      await client().send(new CreateBucketCommand({Bucket: 'another'}))
      const {Buckets = []} = await client().send(new ListBucketsCommand())
      expect(Buckets.map(({Name}) => Name)).toEqual(expect.arrayContaining(['another', BUCKET]))
      await client().send(new HeadBucketCommand({Bucket: 'another'}))
      await client().send(new DeleteBucketCommand({Bucket: 'another'}))
      const gone = client().send(new HeadBucketCommand({Bucket: 'another'}))
      await expect(gone).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('are somewhere', async () => {
      const {LocationConstraint = ''} = await client().send(new GetBucketLocationCommand({Bucket: BUCKET}))
      expect(['', 'us-east-1']).toContain(LocationConstraint)
    })

    promises('are made once', async () => {
      const again = client().send(new CreateBucketCommand({Bucket: BUCKET}))
      await expect(again).rejects.toMatchObject({name: 'BucketAlreadyOwnedByYou'})
    })

    promises('have proper names', async () => {
      const odd = client().send(new CreateBucketCommand({Bucket: 'No_Bucket'}))
      await expect(odd).rejects.toMatchObject({name: 'InvalidBucketName'})
    })

    promises('are not deleted while something is in them', async () => {
      await client().send(new PutObjectCommand({Bucket: BUCKET, Key: 'in-the-way', Body: 'x'}))
      const deleted = client().send(new DeleteBucketCommand({Bucket: BUCKET}))
      await expect(deleted).rejects.toMatchObject({name: 'BucketNotEmpty'})
    })

    promises('are missed by name', async () => {
      const missing = client().send(new PutObjectCommand({Bucket: 'not-there', Key: 'k', Body: 'x'}))
      await expect(missing).rejects.toMatchObject({name: 'NoSuchBucket'})
    })
  })
}
