import {describe, expect, it} from 'vitest'
import {decodeChunk, partitionForPath} from '../../../../src/core/chunk/index.js'
import {
  forwarded,
  type Partitioning,
  partitionerOf,
  withContentType,
} from '../../../../src/core/relay/index.js'
import {recordsOf} from '../../../support/chunks.js'

const record = (facts: {
  key?: string | Buffer | null
  value?: string | null
  partition?: number
  header?: string
}) => ({
  topic: 'in',
  partition: facts.partition ?? 0,
  offset: 0,
  timestampMs: 1,
  key: facts.key === undefined || facts.key === null ? null : Buffer.from(facts.key),
  value: facts.value === null ? null : Buffer.from(facts.value ?? 'v'),
  headers: facts.header === undefined ? [] : [{key: 'x', value: Buffer.from(facts.header)}],
})
const place = (partitioning: Partitioning, facts: Parameters<typeof record>[0], count = 3) => {
  const input = record(facts)
  return partitionerOf(partitioning, count)(input, forwarded(input)).partition
}

describe('partitionerOf', () => {
  it('puts keys where the Java client puts them', () => {
    // As observed of the Java producer on three partitions.
    const java = {k5: 0, e1: 0, 'same-key': 0, k4: 1, k10: 1, k1: 2, k9: 2}
    for (const [key, partition] of Object.entries(java))
      expect(place({by: 'key'}, {key}), key).toBe(partition)
    expect(place({by: 'key'}, {key: Buffer.from([0x00, 0xff, 0x80])})).toBe(2)
  })

  it('keeps what has no key with those it came with', () => {
    expect([0, 1, 2, 5].map((partition) => place({by: 'key'}, {partition}))).toEqual([0, 1, 2, 2])
  })

  it('chooses by the Java hash code of an expression', () => {
    const by = (expression: Extract<Partitioning, {by: 'expression'}>['expression']) =>
      ({by: 'expression', expression, partitionCount: 3}) as const
    // "hello".hashCode() is 99162322, "polygenelubricants".hashCode() the smallest integer.
    expect(place(by({of: 'payload'}), {value: 'hello'}, 1000)).toBe(322)
    expect(place(by({of: 'payload'}), {value: 'polygenelubricants'})).toBe(0)
    expect(place(by({of: 'key'}), {key: 'hello'}, 1000)).toBe(322)
    expect(place(by({of: 'header', name: 'x'}), {header: 'hello'}, 1000)).toBe(322)
    expect(place(by({of: 'partition'}), {partition: 4})).toBe(1)
    expect(() => place(by({of: 'header', name: 'y'}), {})).toThrow('header y')
  })

  it('puts the chunks of a file together, and says so to whoever reads them', () => {
    const chunks = recordsOf({
      path: 'a/b',
      content: Buffer.from('x'.repeat(30)),
      chunkBytes: 10,
      uploadId: null,
    })
    const addressed = chunks.map((chunk, partition) => {
      const input = {...record({partition}), ...chunk, value: Buffer.concat(chunk.value ?? [])}
      return partitionerOf({by: 'file'}, 7)(input, forwarded(input))
    })
    expect(addressed.map(({partition}) => partition)).toEqual(chunks.map(() => partitionForPath('a/b', 7)))
    for (const {record: sent} of addressed) {
      const decoded = decodeChunk({value: Buffer.concat(sent.value ?? []), headers: sent.headers})
      expect(decoded).toMatchObject({headers: {partitionedByFile: true}})
    }
    expect(() => place({by: 'file'}, {})).toThrow('no chunk')
  })
})

describe('withContentType', () => {
  const text = (headers: readonly {key: string; value: Buffer | null}[]) =>
    headers.map(({key, value}) => [key, value?.toString() ?? null])

  it('is written with the types that Spring Cloud Stream needs beside it, last', () => {
    const headers = [
      {key: 'contentType', value: Buffer.from('text/plain')},
      {key: 'h', value: null},
      {key: 'spring_json_header_types', value: Buffer.from('{"n":"java.lang.Integer"}')},
    ]
    expect(text(withContentType(headers, 'application/json'))).toEqual([
      ['h', null],
      ['contentType', 'application/json'],
      ['spring_json_header_types', '{"n":"java.lang.Integer","contentType":"java.lang.String"}'],
    ])
  })

  it('takes broken types for none', () => {
    for (const broken of ['not json', '[1]', 'null'])
      expect(
        text(withContentType([{key: 'spring_json_header_types', value: Buffer.from(broken)}], 'a/b')),
      ).toEqual([
        ['contentType', 'a/b'],
        ['spring_json_header_types', '{"contentType":"java.lang.String"}'],
      ])
  })
})
