import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import type {ConsumedRecord} from '../../../../src/core/record.js'
import {deadLetterTopicOf, FAILED_RECORD_HEADER, failedRecord} from '../../../../src/core/relay/index.js'

interface Written {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

function records(file: string): ConsumedRecord[] {
  const path = new URL(`../../../fixtures/spring-cloud-stream/${file}`, import.meta.url)
  const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Written)
    .map(({topic, partition, offset, timestamp, key, value, headers}) => ({
      topic,
      partition,
      offset,
      timestampMs: timestamp,
      key: bytes(key),
      value: bytes(value),
      headers: headers.map(([name, text]) => ({key: name, value: bytes(text)})),
    }))
}

const {topic, partition, offset, message, stackTrace} = FAILED_RECORD_HEADER
const lastOf = (record: Pick<ConsumedRecord, 'headers'>, name: string) =>
  record.headers.findLast(({key}) => key === name)?.value ?? Buffer.alloc(0)

describe('a dead letter', () => {
  const inputs = records('c.in.jsonl')
  const letters = records('c.dlq.jsonl')

  it.each(letters.map((letter) => [letter.partition, letter.offset, letter] as const))(
    'equals that of Spring Cloud Stream, %i@%i, but for the texts of the exception',
    (_, __, letter) => {
      const input = inputs.find(
        (each) =>
          each.partition === lastOf(letter, partition).readInt32BE() &&
          each.offset === Number(lastOf(letter, offset).readBigInt64BE()),
      )
      if (input === undefined) throw new Error('no input for this letter')
      const ours = failedRecord(input, 'test', new Error('boom'))
      expect(ours.key).toEqual(letter.key)
      expect(ours.value === null ? null : Buffer.concat(ours.value)).toEqual(letter.value)
      const withoutTexts = (headers: ConsumedRecord['headers']) => {
        const last = headers.length - 1
        return headers.map((header, i) =>
          i >= last - 1 && [message, stackTrace].some((name) => name === header.key) ? header.key : header,
        )
      }
      expect(withoutTexts(ours.headers)).toEqual(withoutTexts(letter.headers))
      expect(letter.partition).toBe(input.partition)
      expect(letter.topic).toBe(deadLetterTopicOf(input.topic, 'c1'))
    },
  )

  it('covers a binary key, repeated headers, a tombstone, and a record that failed before', () => {
    expect(letters).toHaveLength(6)
    expect(letters.some(({value}) => value === null)).toBe(true)
    expect(letters.some(({headers}) => headers.filter(({key}) => key === topic).length === 2)).toBe(true)
  })

  it('says what the time is of', () => {
    const [input] = inputs
    if (input === undefined) throw new Error('no input')
    const typeOf = (record: ConsumedRecord) =>
      lastOf(failedRecord(record, 't', new Error('x')), FAILED_RECORD_HEADER.timestampType).toString()
    expect(typeOf(input)).toBe('CreateTime')
    expect(typeOf({...input, isLogAppendTime: true})).toBe('LogAppendTime')
    expect(typeOf({...input, timestampMs: -1})).toBe('NoTimestampType')
  })
})
