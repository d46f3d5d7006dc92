/**
 * The AWS SDK, of which everything comes from here. It is CommonJS, and `require` takes it as it is: for an `import`,
 * Node first reads all of its source in search of the names that it exports, which takes as long as running it.
 */
import {createRequire} from 'node:module'
import type * as clientS3 from '@aws-sdk/client-s3'
import type * as providers from '@aws-sdk/credential-providers'
import type * as config from '@smithy/core/config'

const require = createRequire(import.meta.url)

export const {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} = require('@aws-sdk/client-s3') as typeof clientS3

export type S3Client = InstanceType<typeof S3Client>

export const {CONFIG_PREFIX_SEPARATOR, getProfileName, loadSharedConfigFiles} =
  require('@smithy/core/config') as typeof config

/** Not loaded by those who have been given a key. */
export const credentialProviders = () => require('@aws-sdk/credential-providers') as typeof providers
