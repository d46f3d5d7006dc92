import {readFileSync, readdirSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {positionBehind} from '../../../../../src/adapters/kafka/fetch/position-behind.js'
import {decodeRecordSet} from '../../../../../src/adapters/kafka/record-batch/decode.js'

const directory = new URL('../../../../fixtures/record-batches/', import.meta.url)
const fixtures = readdirSync(directory)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => [name, readFileSync(new URL(name, directory))] as const)

describe('positionBehind', () => {
  it.each(fixtures)('says of %s what decoding says', async (_name, bytes) => {
    const set = {topic: 't', partition: 0, bytes, fromOffset: 0, abortedTransactions: []}
    expect(positionBehind(bytes, 0)).toBe((await decodeRecordSet(set)).nextOffset)
  })

  it('stays where it is for a part of a batch, for nothing, and for nonsense', () => {
    const [, bytes] = fixtures[0]!
    expect(positionBehind(bytes.subarray(0, 60), 7)).toBe(7)
    expect(positionBehind(Buffer.alloc(0), 7)).toBe(7)
    expect(positionBehind(Buffer.alloc(200), 7)).toBe(7)
  })

  it('never goes back, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 300}), fc.nat(), (bytes, from) => {
        expect(positionBehind(Buffer.from(bytes), from)).toBeGreaterThanOrEqual(from)
      }),
    )
  })
})
