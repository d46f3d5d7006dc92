/** What is in a bucket, compared with a directory to the last byte. */
import {open, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {GetObjectCommand, paginateListObjectsV2, S3Client} from '@aws-sdk/client-s3'
import {listFiles} from './files.mjs'

/**
 * @param {string} directory
 * @param {{bucket: string, prefix: string, environment: Record<string, string>}} place keys are the prefix and the path
 * @returns {Promise<{objects: number, bytes: number, differences: string[]}>}
 */
export async function compareBucket(directory, {bucket, prefix, environment}) {
  const s3 = clientOf(environment)
  try {
    const keys = []
    for await (const {Contents = []} of paginateListObjectsV2({client: s3}, {Bucket: bucket, Prefix: prefix}))
      keys.push(...Contents.map(({Key}) => Key))
    const want = new Set((await listFiles(directory)).map((path) => prefix + path))
    const differences = keys.filter((key) => !want.has(key)).map((key) => `not asked for: ${key}`)
    let bytes = 0
    for (const key of want) {
      const file = join(directory, key.slice(prefix.length))
      const difference = keys.includes(key) ? await compareObject(s3, bucket, key, file) : 'missing'
      if (difference) differences.push(`${key}: ${difference}`)
      bytes += (await stat(file)).size
    }
    return {objects: keys.length, bytes, differences}
  } finally {
    s3.destroy()
  }
}

async function compareObject(s3, bucket, key, path) {
  const {Body, ContentLength} = await s3.send(new GetObjectCommand({Bucket: bucket, Key: key}))
  const file = await open(path)
  try {
    const {size} = await file.stat()
    let difference = ContentLength === size ? null : `${size} bytes became ${ContentLength}`
    let position = 0
    // To its end also when it differs: the connection is used again.
    for await (const piece of Body) {
      const {buffer, bytesRead} = await file.read(Buffer.allocUnsafe(piece.length), 0, piece.length, position)
      if (!buffer.subarray(0, bytesRead).equals(piece)) difference ??= `differs near byte ${position}`
      position += piece.length
    }
    return difference
  } finally {
    await file.close()
  }
}

function clientOf(environment) {
  const {AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY} = environment
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  return new S3Client({
    endpoint: AWS_ENDPOINT_URL_S3,
    region: AWS_REGION,
    credentials: {accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY},
    forcePathStyle: true,
  })
}
