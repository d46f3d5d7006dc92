import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {
  decodeLetter,
  fileLetters,
  missingText,
  type ParkedFile,
  recordLetter,
  referenceLetter,
} from '../../../../src/core/dead-letters/index.js'
import {IntervalSet} from '../../../../src/core/offsets/index.js'
import type {ConsumedRecord, OutgoingRecord} from '../../../../src/core/record.js'
import {joined} from '../../../support/chunks.js'

const consumed = ({headers, value}: OutgoingRecord) => ({headers, value: joined(value)})
const cause = {code: 'FILE_PARKED', reason: 'two chunks did not come', group: 'g'}
const setOf = (...runs: [number, number][]) => IntervalSet.of(runs.map(([start, end]) => ({start, end})))

const parked = (records: ReadonlyMap<number, IntervalSet>): ParkedFile => ({
  kind: 'file',
  cause,
  topic: 't',
  path: 'a/ü b',
  sha512: '0f'.repeat(64),
  uploadId: '018bcfe5-6800-7000-8000-000000000000',
  chunkCount: 12,
  missingChunks: '3-5,9',
  records,
})

const header = (key: string, value: string | null) => ({
  key,
  value: value === null ? null : Buffer.from(value),
})

describe('the letter of a file', () => {
  it('comes back as it was sent, under its path as key', () => {
    const file = parked(
      new Map([
        [0, setOf([0, 3], [7, 8])],
        [4, setOf([9, 10])],
      ]),
    )
    const [letter, ...others] = fileLetters(file)
    expect(others).toEqual([])
    expect(String(letter!.key)).toBe('a/ü b')
    expect(decodeLetter(consumed(letter!))).toEqual(file)
    expect(decodeLetter(consumed(fileLetters({...file, uploadId: null})[0]!))).toMatchObject({uploadId: null})
  })

  it('is several when its offsets are too many for a record; together they name all', () => {
    const offsets = new IntervalSet()
    for (let i = 0; i < 25_000; i++) offsets.add(2 * i)
    const letters = fileLetters(
      parked(
        new Map([
          [0, offsets],
          [1, setOf([5, 6])],
        ]),
      ),
    )
    expect(letters).toHaveLength(3)
    const named = new Map([
      [0, new IntervalSet()],
      [1, new IntervalSet()],
    ])
    for (const letter of letters) {
      const decoded = decodeLetter(consumed(letter))
      if (decoded?.kind !== 'file') throw new Error('not a file')
      for (const [partition, of] of decoded.records)
        for (const {start, end} of of.runs()) named.get(partition)!.addRun(start, end)
    }
    expect([...named.get(0)!.runs()]).toEqual([...offsets.runs()])
    expect([...named.get(1)!.runs()]).toEqual([{start: 5, end: 6}])
  })

  it('names what is missing as far as a person reads', () => {
    const missing = new IntervalSet()
    for (let i = 0; i < 5000; i++) missing.add(2 * i)
    expect(missingText(missing)).toMatch(/^0,2,4,.*,…$/)
    expect(missingText(setOf([3, 6], [9, 10]))).toBe('3-5,9')
  })
})

describe('the letter of a record', () => {
  const record: ConsumedRecord = {
    topic: 't',
    partition: 3,
    offset: 77,
    timestampMs: 5,
    key: Buffer.from('k'),
    value: Buffer.from('not a chunk'),
    headers: [header('h', 'v'), header('null', null)],
  }

  it('holds it as it was, with its own headers first', () => {
    const letter = recordLetter(record, {...cause, code: 'NOT_MSGPACK'})
    expect({...consumed(letter), key: letter.key}).toMatchObject({key: record.key, value: record.value})
    expect(letter.headers.slice(0, 2)).toEqual(record.headers)
    expect(decodeLetter(consumed(letter))).toEqual({
      kind: 'record',
      cause: {...cause, code: 'NOT_MSGPACK'},
      origin: {topic: 't', partition: 3, offset: 77},
      isCopy: true,
    })
    expect(recordLetter({...record, value: null}, cause).value).toBeNull()
  })

  it('only names one that is too large', () => {
    const letter = referenceLetter(record, cause)
    expect(letter.value).toBeNull()
    expect(decodeLetter(consumed(letter))).toMatchObject({isCopy: false, origin: {offset: 77}})
  })

  it('that was a letter already is about the new one: of headers that come twice the last counts', () => {
    const once = recordLetter(record, cause)
    const twice = recordLetter({...record, topic: 'dead', offset: 1, headers: once.headers}, cause)
    expect(decodeLetter(consumed(twice))).toMatchObject({origin: {topic: 'dead', offset: 1}})
  })
})

describe('what anybody may write to the topic', () => {
  const whole = consumed(fileLetters(parked(new Map([[0, setOf([0, 3])]])))[0]!)
  const json = JSON.parse(String(whole.value)) as Record<string, unknown>
  const withJson = (changes: Record<string, unknown>) => ({
    ...whole,
    value: Buffer.from(JSON.stringify({...json, ...changes})),
  })

  it.each([
    ['another schema', {schema: 2}],
    ['no topic', {topic: ''}],
    ['a topic longer than Kafka has', {topic: 't'.repeat(250)}],
    ['a path that is no text', {path: 7}],
    ['a hash that is none', {sha512: 'ff'}],
    ['an upload id that is a number', {uploadId: 7}],
    ['no chunks', {chunkCount: 0}],
    ['half a chunk', {chunkCount: 1.5}],
    ['more chunks than can be counted', {chunkCount: 1e300}],
    ['records that are a list', {records: ['0-3']}],
    ['records of a negative partition', {records: {'-1': '0'}}],
    ['records of a partition that is a name', {records: {__proto__x: '0'}}],
    ['offsets backwards', {records: {'0': '5-3'}}],
    ['offsets beyond all numbers', {records: {'0': '99999999999999999999'}}],
    ['offsets that are none', {records: {'0': 'all'}}],
  ])('is no letter with %s', (_, changes) => {
    expect(decodeLetter(whole)).not.toBeNull()
    expect(decodeLetter(withJson(changes))).toBeNull()
  })

  it('is no letter without our headers, of another version, or of an unknown kind', () => {
    const changed = (key: string, value: string | null) => ({
      ...whole,
      headers: whole.headers.map((each) => (each.key === key ? header(key, value) : each)),
    })
    expect(decodeLetter({...whole, headers: []})).toBeNull()
    expect(decodeLetter(changed('streamtool-dead-letter', '2'))).toBeNull()
    expect(decodeLetter(changed('streamtool-dead-letter', null))).toBeNull()
    expect(decodeLetter(changed('streamtool-dead-letter-kind', 'constructor'))).toBeNull()
  })

  it('never makes decoding throw', () => {
    const names = whole.headers.map(({key}) => key)
    const anyHeader = fc.record({
      key: fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor'), fc.string()),
      value: fc.option(
        fc.oneof(
          fc
            .constantFrom('1', 'file', 'record', 'reference', '0', '-1', '9007199254740993')
            .map((s) => Buffer.from(s)),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
      ),
    })
    const anyValue = fc.option(
      fc.oneof(
        fc.json().map((text) => Buffer.from(text)),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc
          .dictionary(fc.constantFrom(...Object.keys(json)), fc.jsonValue())
          .map((changes) => withJson(changes).value),
      ),
    )
    fc.assert(
      fc.property(fc.array(anyHeader), anyValue, fc.boolean(), (headers, value, isOurs) => {
        const decoded = decodeLetter({headers: isOurs ? [...whole.headers, ...headers] : headers, value})
        if (decoded === null) return
        if (decoded.kind === 'file') expect(decoded.chunkCount).toBeGreaterThan(0)
        else expect(decoded.origin.offset).toBeGreaterThanOrEqual(0)
      }),
      {numRuns: 1000},
    )
  })
})
