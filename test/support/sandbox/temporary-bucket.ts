import {onTestFinished} from 'vitest'
import {type BucketOptions, type RunningBucket, startBucket} from '../../../src/sandbox/bucket/index.js'
import {silentLogger} from '../delivery.js'
import {temporaryDirectory} from '../temporary-directory.js'

/** A store with the bucket `files`, for the running test. */
export async function temporaryBucket(options: Partial<BucketOptions> = {}): Promise<RunningBucket> {
  const dir = options.dir ?? (await temporaryDirectory())
  const bucket = await startBucket({dir, port: 0, buckets: ['files'], logger: silentLogger, ...options})
  onTestFinished(() => bucket.close())
  return bucket
}
