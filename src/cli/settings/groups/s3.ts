/** The settings of `s3-transfer`: which bucket, what its objects are like, and how they are sent. */
import {choice, duration, integer, pairs, path, secret, size, text, toggle} from '../setting.js'

/** The layout of OpenMSIStream. */
export const DEFAULT_KEY = '{topic}/{path}'

export const bucketSettings = {
  bucket: text({
    group: 'BUCKET',
    placeholder: 'BUCKET',
    summary: 'Bucket to store the files in',
    required: true,
    example: 'instrument-archive',
  }),
  prefix: text({group: 'BUCKET', placeholder: 'PREFIX', summary: 'Before every key, as it is: raw/'}),
  key: text({
    group: 'BUCKET',
    placeholder: 'TEMPLATE',
    summary:
      'Key of a file, of {topic} {path} {subdir} {name} {stem} {ext} {sha512} {yyyy} {mm} {dd} {hh}; the date is that of the record with its first chunk, UTC',
    default: DEFAULT_KEY,
  }),
  ifExists: choice(['overwrite', 'skip', 'version', 'fail'], {
    group: 'BUCKET',
    summary:
      'An object that has the key already: replace it unless it is newer, keep it, store beside it under a key with the start of the SHA-512, or hold the file',
    default: 'overwrite',
  }),
}

export const storeSettings = {
  region: text({group: 'STORE', placeholder: 'REGION', summary: 'Region (else AWS_REGION, or the profile)'}),
  endpointUrl: text({
    group: 'STORE',
    placeholder: 'URL',
    summary: 'Store that is not AWS (else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or the profile)',
  }),
  pathStyle: toggle({
    group: 'STORE',
    summary:
      'Put the bucket into the path of URLs, not into the host name; so by default when the store is not AWS',
  }),
  profile: text({
    group: 'STORE',
    placeholder: 'NAME',
    summary: 'Profile of ~/.aws (else AWS_PROFILE); without one the whole credential chain of AWS is tried',
  }),
  roleArn: text({group: 'STORE', placeholder: 'ARN', summary: 'Role to assume with those credentials'}),
  accessKeyId: text({
    group: 'STORE',
    placeholder: 'ID',
    summary: 'Access key; AWS_ACCESS_KEY_ID is the usual way',
  }),
  secretAccessKey: secret({
    group: 'STORE',
    summary: 'Its secret; AWS_SECRET_ACCESS_KEY keeps it out of the process list',
  }),
  sessionToken: secret({group: 'STORE', summary: 'Session token of temporary credentials'}),
  requesterPays: toggle({group: 'STORE', summary: 'We pay for requests to a bucket that asks for it'}),
  expectedBucketOwner: text({
    group: 'STORE',
    placeholder: 'ACCOUNT',
    summary: 'Refuse a bucket that belongs to another account',
  }),
}

export const objectSettings = {
  contentType: text({
    group: 'OBJECTS',
    placeholder: 'TYPE',
    summary: 'Content type (else what the uploader said, or by the end of the name)',
  }),
  contentEncoding: text({group: 'OBJECTS', placeholder: 'CODING', summary: 'Content encoding'}),
  cacheControl: text({group: 'OBJECTS', placeholder: 'TEXT', summary: 'Cache-Control header'}),
  metadata: pairs({group: 'OBJECTS', summary: 'Further metadata of every object, 512 bytes at most'}),
  metadataSha256: toggle({
    group: 'OBJECTS',
    summary:
      'Put the SHA-256 into the metadata of objects that are sent in one piece (see --part-size); that of larger ones is not known when theirs is given',
  }),
  tag: pairs({group: 'OBJECTS', summary: 'Tag of every object, ten at most'}),
  storageClass: text({
    group: 'OBJECTS',
    placeholder: 'CLASS',
    summary: 'Storage class: STANDARD_IA, GLACIER_IR, …',
  }),
  sse: choice(['aes256', 'aws:kms', 'aws:kms:dsse'], {
    group: 'OBJECTS',
    summary: 'Encryption by the store (else as the bucket says)',
  }),
  sseKmsKeyId: text({
    group: 'OBJECTS',
    placeholder: 'KEY',
    summary: 'KMS key to encrypt with; implies --sse aws:kms',
  }),
  sseKmsContext: pairs({group: 'OBJECTS', summary: 'Encryption context for the KMS key'}),
  bucketKey: toggle({group: 'OBJECTS', summary: 'Use an S3 bucket key, for fewer requests to KMS'}),
  sseCKeyFile: path({
    group: 'OBJECTS',
    placeholder: 'FILE',
    summary:
      'Encryption by the store with a key of yours (SSE-C), which it does not keep: 32 bytes, as they are, in base64 or hexadecimal',
  }),
  acl: text({
    group: 'OBJECTS',
    placeholder: 'ACL',
    summary: 'Canned ACL, for buckets that have them: bucket-owner-full-control, …',
  }),
  objectLock: choice(['governance', 'compliance'], {
    group: 'OBJECTS',
    summary: 'Lock every object; needs --retain-for',
  }),
  retainFor: duration({group: 'OBJECTS', summary: 'How long a locked object cannot be removed: 365d'}),
  legalHold: toggle({group: 'OBJECTS', summary: 'Put a legal hold on every object'}),
}

export const transferSettings = {
  partSize: size({
    group: 'TRANSFER',
    summary: 'Files larger than this are sent in parts of this size; parts of very large files grow',
    default: '8MiB',
  }),
  requests: integer({
    group: 'TRANSFER',
    summary: 'Requests under way at once, at most; fewer when the store asks for that',
    default: '32',
  }),
  requestTimeout: duration({
    group: 'TRANSFER',
    summary: 'A request on which nothing moves for so long is made again',
    default: '60s',
  }),
  checksum: choice(['crc32', 'crc32c', 'crc64nvme', 'none'], {
    group: 'TRANSFER',
    summary:
      'What the store verifies each object by, as a whole; none reads every object back instead. The CRC-32 of the uploader is compared in any case',
    default: 'crc32',
  }),
  spillDir: path({
    group: 'TRANSFER',
    placeholder: 'DIR',
    summary: 'Where chunks and parts wait that exceed --memory (else the directory for temporary files)',
  }),
}

export const bucketCareSettings = {
  probe: toggle({
    group: 'CARE',
    summary: 'Try out what the store can do and what we may do there, print it, and exit',
  }),
  cleanupOlderThan: duration({
    group: 'CARE',
    summary: 'End uploads of ours that crashes of this host left so long ago, and exit',
  }),
}

/** Flags that need no topic. */
export const withoutTopic = (argv: readonly string[]): boolean =>
  argv.some((word) => word === '--probe' || /^--cleanup-older-than(=|$)/.test(word))
