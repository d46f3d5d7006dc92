import {S3Client, type S3ClientConfig} from '@aws-sdk/client-s3'

/** Where a store is, and who may use it. */
export interface S3Access {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** AWS's own client. It tries everything once, so that tests see each answer. */
export function s3Client(
  {endpoint, region, accessKeyId, secretAccessKey}: S3Access,
  options: S3ClientConfig = {},
): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials: {accessKeyId, secretAccessKey},
    forcePathStyle: true,
    maxAttempts: 1,
    ...options,
  })
}
