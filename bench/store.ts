/** A real object store, on loopback, and the buckets that are filled in it. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import {type S3Access, s3Client} from '../test/support/s3-client.js'
import {startVersitygw} from '../test/support/versitygw.js'

export interface Store {
  readonly access: S3Access
  readonly pid: number
  createBucket(): Promise<string>
  keys(bucket: string): Promise<string[]>
  read(bucket: string, key: string): Promise<AsyncIterable<Buffer>>
  /** With all that is in it. */
  removeBucket(bucket: string): Promise<void>
  close(): Promise<void>
}

/** @throws by name what is missing */
export async function openStore(): Promise<Store> {
  const server = await startVersitygw({keepsConnections: true})
  const {pid, endpoint, region, accessKeyId, secretAccessKey} = server
  const access = {endpoint, region, accessKeyId, secretAccessKey}
  const client = s3Client(access, {maxAttempts: 3})
  let made = 0
  return {
    access,
    pid,
    async createBucket() {
      const bucket = `bench-${++made}`
      await client.send(new CreateBucketCommand({Bucket: bucket}))
      return bucket
    },
    async keys(bucket) {
      const found: string[] = []
      for await (const keys of pagesOf(client, bucket)) found.push(...keys)
      return found
    },
    async read(bucket, key) {
      const {Body} = await client.send(new GetObjectCommand({Bucket: bucket, Key: key}))
      return Body as unknown as AsyncIterable<Buffer>
    },
    async removeBucket(bucket) {
      for await (const keys of pagesOf(client, bucket)) {
        const Delete = {Objects: keys.map((Key) => ({Key})), Quiet: true}
        await client.send(new DeleteObjectsCommand({Bucket: bucket, Delete}))
      }
      await client.send(new DeleteBucketCommand({Bucket: bucket}))
    },
    async close() {
      client.destroy()
      await server.close()
    },
  }
}

async function* pagesOf(client: S3Client, bucket: string): AsyncGenerator<string[]> {
  for await (const {Contents = []} of paginateListObjectsV2({client}, {Bucket: bucket}))
    if (Contents.length > 0) yield Contents.map(({Key}) => Key!)
}
