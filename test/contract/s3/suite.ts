import {CreateBucketCommand, type S3Client} from '@aws-sdk/client-s3'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {s3Client} from '../../support/s3-client.js'
import type {S3Backend, S3Kind} from './backend.js'
import {bucketsContract} from './buckets.contract.js'
import {checksumsContract} from './checksums.contract.js'
import {conditionsContract} from './conditions.contract.js'
import {customerKeyContract} from './customer-key.contract.js'
import {listingContract} from './listing.contract.js'
import {multipartContract} from './multipart.contract.js'
import {multipartListingContract} from './multipart-listing.contract.js'
import {objectsContract} from './objects.contract.js'
import {signaturesContract} from './signatures.contract.js'

/** Of all tests. */
export const BUCKET = 'contract'

export interface S3Contract {
  readonly backend: () => S3Backend
  readonly client: () => S3Client
  /** A test, unless the store is known to be otherwise there: then one that it still is. */
  readonly promises: (name: string, test: () => Promise<void>) => void
}

/** What streamtool, and anybody, may expect of a store that speaks S3. */
export function describeS3Contract(kind: S3Kind): void {
  describe(`S3 contract on ${kind.name}`, () => {
    let started: {backend: S3Backend; client: S3Client} | undefined
    const running = () => {
      if (!started) throw new Error(`${kind.name} is not started`)
      return started
    }
    beforeAll(async () => {
      const backend = await kind.start()
      started = {backend, client: s3Client(backend)}
      await started.client.send(new CreateBucketCommand({Bucket: BUCKET}))
    })
    afterAll(async () => {
      started?.client.destroy()
      await started?.backend.close()
    })
    const context: S3Contract = {
      backend: () => running().backend,
      client: () => running().client,
      promises: (name, test) => {
        if (kind.deviations?.includes(name) !== true) it(name, test)
        else it(`differs: ${name}`, () => expect(test()).rejects.toThrow())
      },
    }
    bucketsContract(context)
    objectsContract(context)
    checksumsContract(context)
    conditionsContract(context)
    multipartContract(context)
    multipartListingContract(context)
    listingContract(context)
    signaturesContract(context)
    customerKeyContract(context)
  })
}
