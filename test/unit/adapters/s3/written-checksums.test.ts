import {createHash} from 'node:crypto'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {CHECKSUM_NAMES, checksumOf} from '../../../../src/adapters/s3/checksum.js'
import {WrittenChecksums} from '../../../../src/adapters/s3/written-checksums.js'
import {incomingFile} from '../../../support/incoming-file.js'

const someParts = fc.array(fc.array(fc.uint8Array({maxLength: 40}), {maxLength: 4}), {maxLength: 5})

describe('checksums of what is written', () => {
  it.each(CHECKSUM_NAMES)('%s: of each part and of the whole, however it comes', (name) => {
    const property = fc.property(someParts, (parts) => {
      const written = new WrittenChecksums(name, {withSha256: true})
      const read: Buffer[] = []
      for (const pieces of parts) {
        for (const piece of pieces) written.update(Buffer.from(piece))
        const part = Buffer.concat(pieces)
        read.push(part)
        expect(written.whole()).toBe(checksumOf(name, Buffer.concat(read)))
        expect(written.endPart()).toBe(checksumOf(name, part))
      }
      const whole = Buffer.concat(read)
      expect(written.all()).toEqual({CRC32: checksumOf('CRC32', whole), [name]: checksumOf(name, whole)})
      expect(written.sha256()).toBe(createHash('sha256').update(whole).digest('hex'))
    })
    fc.assert(property, {numRuns: 40})
  })

  it.each(CHECKSUM_NAMES)('%s: the CRC-32 of the uploader is compared all the same', (name) => {
    const content = Buffer.from('content')
    const right = Buffer.from(checksumOf('CRC32', content), 'base64')
    const written = new WrittenChecksums(name)
    written.update(content)
    written.requireAsRecorded(incomingFile('a', content, {crc32: right}))
    const wrong = incomingFile('a', content, {crc32: Buffer.alloc(4)})
    expect(() => written.requireAsRecorded(wrong)).toThrow('not its CRC-32')
  })

  it('compares the SHA-256 that an uploader put into the metadata, when it is computed', () => {
    const content = Buffer.from('content')
    const withSha256 = (sha256: string) => incomingFile('a', content, {metadata: {sha256}})
    const written = new WrittenChecksums('CRC32', {withSha256: true})
    written.update(content)
    written.requireAsRecorded(withSha256(createHash('sha256').update(content).digest('hex').toUpperCase()))
    written.requireAsRecorded(withSha256('of something else, by its looks'))
    expect(() => written.requireAsRecorded(withSha256('0'.repeat(64)))).toThrow('not the SHA-256')
    const without = new WrittenChecksums('CRC32')
    without.update(content)
    without.requireAsRecorded(withSha256('0'.repeat(64)))
  })
})
