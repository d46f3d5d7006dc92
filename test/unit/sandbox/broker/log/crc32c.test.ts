import {expect, it} from 'vitest'
import {crc32c, portableCrc32c} from '../../../../../src/sandbox/broker/log/crc32c.js'

// The check value of the CRC catalogue, and the test vectors of RFC 3720, B.4.
it.each([
  ['123456789', Buffer.from('123456789'), 0xe306_9283],
  ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['nothing', Buffer.alloc(0), 0],
])('gives the known CRC-32C of %s, native and portable', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
  expect(portableCrc32c()(bytes)).toBe(expected)
})
