import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {startBucket} from '../../../src/sandbox/bucket/index.js'
import {silentLogger} from '../../support/delivery.js'
import {describeS3Contract} from './suite.js'

describeS3Contract({
  name: 'the sandbox',
  start: async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streamtool-bucket-'))
    const bucket = await startBucket({dir, port: 0, logger: silentLogger})
    return {
      ...bucket,
      close: async () => {
        await bucket.close()
        await rm(dir, {recursive: true})
      },
    }
  },
})
