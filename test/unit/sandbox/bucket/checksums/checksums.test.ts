import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {
  CHECKSUM_NAMES,
  checksumOf,
  parseChecksum,
  startChecksum,
} from '../../../../../src/sandbox/bucket/checksums/algorithms.js'
import {checksumOfParts} from '../../../../../src/sandbox/bucket/checksums/of-parts.js'
import {CHECK_VALUES} from '../../../../contract/s3/checksums.contract.js'

const CRCS = ['CRC32', 'CRC32C', 'CRC64NVME'] as const

describe('a checksum', () => {
  it.each(CHECKSUM_NAMES)('%s of the nine digits is as the catalogues have it', (name) => {
    expect(checksumOf(name, Buffer.from('123456789')).toString('base64')).toBe(CHECK_VALUES[name])
  })

  it.each(CHECKSUM_NAMES)('%s is the same however the bytes come', (name) => {
    const pieces = fc.array(fc.uint8Array({maxLength: 50}).map((bytes) => Buffer.from(bytes)))
    const property = fc.property(pieces, (parts) => {
      const running = startChecksum(name)
      for (const part of parts) running.update(part)
      expect(running.digest()).toEqual(checksumOf(name, Buffer.concat(parts)))
    })
    fc.assert(property, {numRuns: 50})
  })

  it.each(CRCS)('%s of a whole follows from those of its parts', (name) => {
    const pieces = fc.array(fc.uint8Array({maxLength: 3000}).map((bytes) => Buffer.from(bytes)))
    const property = fc.property(pieces, (parts) => {
      const known = parts.map((part) => ({
        size: part.length,
        checksum: checksumOf(name, part).toString('base64'),
      }))
      const whole = checksumOf(name, Buffer.concat(parts)).toString('base64')
      expect(checksumOfParts(name, 'FULL_OBJECT', known)).toBe(whole)
    })
    fc.assert(property, {numRuns: 50})
  })

  it('is read from base64 of the right length only', () => {
    expect(parseChecksum('CRC32', 'y/Q5Jg==')).toEqual(Buffer.from('cbf43926', 'hex'))
    for (const text of ['', 'y/Q5Jg', 'y_Q5Jg==', 'AAAA', 'AAAAAAAAAAA=', ' y/Q5Jg==', 'y/Q5Jh=='])
      expect(parseChecksum('CRC32', text), text).toBeNull()
  })
})
