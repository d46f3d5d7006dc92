import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {connectBucket, examineBucket} from '../../src/adapters/s3/index.js'
import {systemClock} from '../../src/adapters/system/clock.js'
import {describeS3Contract} from '../contract/s3/suite.js'
import {s3Client} from '../support/s3-client.js'
import {startVersitygw} from '../support/versitygw.js'

describeS3Contract({
  name: 'versitygw',
  start: startVersitygw,
  deviations: [
    // Its keys are paths of a file system.
    'may have dots and slashes in its name that mean nothing',
    'has ten tags at most',
    // It does not know its own upload-id-marker again: 400 InvalidArgument. With the key marker alone it goes on.
    'are listed by key under a prefix, page by page',
    'of one key are listed all, page by page',
    // 404 XAdminUserNotFound
    'of nobody that is known is refused',
    // On a directory it does not know SSE-C, and ignores the key.
    'is said to be used, and is needed for reading',
    'is refused for an object that has none',
    'that is no key of 256 bits is refused',
    'goes with every part',
  ],
})

it('that versitygw ignores a key of the customer ends a run before any file is sent', async () => {
  const store = await startVersitygw()
  try {
    const admin = s3Client(store)
    await admin.send(new CreateBucketCommand({Bucket: 'files'}))
    admin.destroy()
    const place = {
      ...{bucket: 'files', endpointUrl: store.endpoint, concurrency: 1, silenceMs: 10_000},
      ...{accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey},
      customerKey: Buffer.alloc(32, 'k'),
    }
    const {client, endpoint} = await connectBucket(place, systemClock)
    const signal = new AbortController().signal
    const examining = examineBucket(client, {
      ...{endpoint, prefix: '', tryOut: false, checksum: 'CRC64NVME', signal},
    })
    await expect(examining).rejects.toMatchObject({
      code: 'STORE_FORBIDDEN',
      exitCode: 3,
      message: expect.stringContaining('ignored the key') as string,
    })
    const left = await readdir(join(store.data, 'files'))
    expect(left.filter((name) => name.includes('streamtool'))).toEqual([])
    client.close()
  } finally {
    await store.close()
  }
})
