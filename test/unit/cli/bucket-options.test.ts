import {describe, expect, it} from 'vitest'
import {bucketOptions} from '../../../src/cli/bucket-options.js'
import {recordedLog} from '../../support/quiet.js'

type Given = Parameters<typeof bucketOptions>[0]

/** What every run has, as the settings give it. */
const USUAL = {
  topic: 't',
  bucket: 'archive',
  key: '{topic}/{path}',
  ifExists: 'overwrite',
  partSize: 8 << 20,
  requests: 32,
  requestTimeout: 60_000,
  checksum: 'crc32',
  memory: 256 << 20,
}

const optionsOf = (given: Partial<Given>) =>
  bucketOptions({...USUAL, ...given} as Given, {
    logger: recordedLog(),
    signal: new AbortController().signal,
  })

describe('the settings of a bucket', () => {
  it('that no header could have are refused at the start: no store would ever be asked', () => {
    const refused = (given: Partial<Given>, flag: string) =>
      expect(() => optionsOf(given)).toThrow(
        expect.objectContaining({code: 'SETTING_INVALID', message: expect.stringContaining(flag) as string}),
      )
    refused({cacheControl: 'a\nb'}, '--cache-control')
    refused({contentType: 'text/plän'}, '--content-type')
    refused({storageClass: 'STANDARD\r\nx-amz-acl: public-read'}, '--storage-class')
    refused({acl: '\0'}, '--acl')
    refused({expectedBucketOwner: 'ä'}, '--expected-bucket-owner')
    refused({metadata: {'a b': 'x'}}, '--metadata')
    refused({metadata: {ä: 'x'}}, '--metadata')
  })

  it('have metadata whose values are any text', () => {
    expect(optionsOf({metadata: {'Lab-7': 'Zürich\n'}}).object.metadata).toEqual({'Lab-7': 'Zürich\n'})
  })
})
