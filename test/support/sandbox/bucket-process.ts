/** `bucket-process.ts DIR`: a bucket in a process of its own, to be killed. Prints how it is reached. */
import {startBucket} from '../../../src/sandbox/bucket/index.js'
import {silentLogger} from '../delivery.js'

const bucket = await startBucket({dir: process.argv[2]!, port: 0, buckets: ['files'], logger: silentLogger})
console.log(JSON.stringify(bucket))
