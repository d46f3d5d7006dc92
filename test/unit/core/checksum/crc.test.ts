import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {
  combineCrcs,
  CRC32,
  CRC32C,
  CRC64NVME,
  type CrcKind,
  crcToBytes,
  startCrc,
} from '../../../../src/core/checksum/index.js'

/** Of the nine digits, as the catalogues of CRCs have them. */
const CHECK_VALUES: readonly [string, CrcKind, string][] = [
  ['CRC-32', CRC32, 'cbf43926'],
  ['CRC-32C', CRC32C, 'e3069283'],
  ['CRC-64/NVME', CRC64NVME, 'ae8b14860a799888'],
]
const crcOf = (kind: CrcKind, bytes: Buffer): bigint => {
  const crc = startCrc(kind)
  crc.update(bytes)
  return crc.value()
}
/** One bit after the other, as the standards define it. */
function slowCrcOf({bits, polynomial}: CrcKind, bytes: Buffer): bigint {
  const ones = (1n << BigInt(bits)) - 1n
  let register = ones
  for (const byte of bytes) {
    register ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) register = (register >> 1n) ^ (register & 1n ? polynomial : 0n)
  }
  return register ^ ones
}
const someBytes = fc.uint8Array({maxLength: 100}).map((bytes) => Buffer.from(bytes))

describe.each(CHECK_VALUES)('%s', (_, kind, checkValue) => {
  it('of the nine digits is as the catalogues have it', () => {
    const bytes = crcToBytes(kind, crcOf(kind, Buffer.from('123456789')))
    expect(bytes.toString('hex')).toBe(checkValue)
  })

  it('is what it is bit by bit', () => {
    const property = fc.property(someBytes, (bytes) => {
      expect(crcOf(kind, bytes)).toBe(slowCrcOf(kind, bytes))
    })
    fc.assert(property, {numRuns: 40})
  })

  it('is not changed by nothing that follows', () => {
    const crc = startCrc(kind)
    crc.update(Buffer.from('123456789'))
    for (const nothing of [Buffer.alloc(0), Buffer.from(new Uint8Array()), Buffer.alloc(1).subarray(1)])
      crc.update(nothing)
    expect(crcToBytes(kind, crc.value()).toString('hex')).toBe(checkValue)
  })

  it('of a whole follows from those of two halves', () => {
    const property = fc.property(someBytes, someBytes, (first, second) => {
      const combined = combineCrcs(kind, crcOf(kind, first), crcOf(kind, second), second.length)
      expect(combined).toBe(crcOf(kind, Buffer.concat([first, second])))
    })
    fc.assert(property, {numRuns: 40})
  })
})
