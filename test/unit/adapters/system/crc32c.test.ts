import {createRequire} from 'node:module'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {crc32c, crc32cByTables} from '../../../../src/adapters/system/crc32c.js'

describe.each([
  ['the one in use', crc32c],
  ['the one by tables', crc32cByTables],
])('CRC-32C: %s', (_, compute) => {
  // RFC 3720, B.4
  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({length: 32}, (_x, i) => i)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({length: 32}, (_x, i) => 31 - i)), 0x113fdb5c],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s', (_name, bytes, expected) => {
    expect(compute(bytes)).toBe(expected)
  })

  it('goes on from an earlier one', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 100}), fc.nat(100), (data, at) => {
        const bytes = Buffer.from(data)
        expect(compute(bytes.subarray(at), compute(bytes.subarray(0, at)))).toBe(compute(bytes))
      }),
    )
  })
})

it('is native where the package is there', () => {
  const isInstalled = (() => {
    try {
      return createRequire(import.meta.url)('@node-rs/crc32') !== undefined
    } catch {
      return false
    }
  })()
  expect(crc32c === crc32cByTables).toBe(!isInstalled)
})
