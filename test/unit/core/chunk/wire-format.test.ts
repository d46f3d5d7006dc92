import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {decodeChunk, encodeChunk, POISON_CODES, type Chunk} from '../../../../src/core/chunk/index.js'
import {NO_HEADERS} from '../../../../src/core/chunk/headers.js'
import {chunksOf, headersOf, joined, sha512} from '../../../support/chunks.js'

interface GoldenRecord {
  offset: number
  key: string
  value: string
}
const fixtures = new URL('../../../fixtures/openmsistream/', import.meta.url)
const golden = readFileSync(new URL('golden.jsonl', fixtures), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenRecord)

function decoded(value: Buffer) {
  const result = decodeChunk({value, headers: []})
  if ('poison' in result) throw new Error(`${result.poison}: ${result.reason}`)
  return result
}

describe('records of the real OpenMSIStream', () => {
  it.each(golden)('$key decodes, and encodes to the same bytes', ({key, value}) => {
    const bytes = Buffer.from(value, 'base64')
    const {chunk} = decoded(bytes)
    const record = encodeChunk(chunk, NO_HEADERS)
    expect(record.key?.toString()).toBe(key)
    expect(joined(record.value)).toEqual(bytes)
    expect(record.headers).toEqual([])
  })

  it.each(golden)('$key without its last element is read, and written as the 9-element format', ({value}) => {
    const ten = Buffer.from(value, 'base64')
    const nine = Buffer.concat([Buffer.from([0x99]), ten.subarray(1, -9)])
    const {chunk} = decoded(nine)
    expect(chunk.mtimeSeconds).toBeNull()
    expect(joined(encodeChunk(chunk, NO_HEADERS, 'openmsistream-9').value)).toEqual(nine)
  })

  it('put together give the files they were made from', () => {
    const files = new Map<string, Buffer>()
    for (const {value} of golden) {
      const {chunk, path} = decoded(Buffer.from(value, 'base64'))
      const file = files.get(path) ?? Buffer.alloc(0)
      const grown = Buffer.alloc(Math.max(file.length, chunk.offsetBytes + chunk.data.length))
      file.copy(grown)
      chunk.data.copy(grown, chunk.offsetBytes)
      files.set(path, grown)
    }
    expect([...files.keys()].sort()).toEqual([
      'root.dat',
      'run_01/one_chunk.txt',
      'run_01/sub/Proben-Übersicht 3µm.csv',
      'run_01/sub/exact.bin',
    ])
    for (const [path, content] of files) {
      const onDisk = readFileSync(
        new URL(`golden-files/${encodeURIComponent(path).replaceAll('%2F', '/')}`, fixtures),
      )
      expect(content.equals(onDisk), path).toBe(true)
    }
  })
})

describe('a chunk of ours', () => {
  it('comes back with its headers', () => {
    const file = {
      path: 'a/b c.csv',
      content: Buffer.from('x'.repeat(3000)),
      metadata: {'content-type': 'text/csv'},
    }
    for (const chunk of chunksOf(file)) {
      const {value, headers} = encodeChunk(chunk, headersOf(file))
      const result = decodeChunk({value: joined(value), headers})
      expect(result).toMatchObject({chunk, path: 'a/b c.csv'})
      expect(result).toHaveProperty('headers.sizeBytes', 3000)
      expect(result).toHaveProperty('headers.partitionedByFile', true)
      expect({...(result as {headers: {metadata: object}}).headers.metadata}).toEqual({
        'content-type': 'text/csv',
      })
    }
  })

  it('can be an empty file: one chunk without data', () => {
    const [chunk] = chunksOf({path: 'empty', content: Buffer.alloc(0)})
    const bytes = joined(encodeChunk(chunk!, NO_HEADERS).value)!
    expect(decoded(bytes).chunk).toMatchObject({index: 1, count: 1, offsetBytes: 0})
    expect(bytes.includes(Buffer.from('c400', 'hex'))).toBe(true)
  })

  it('writes an integral mtime as float64, as msgpack-python does', () => {
    const [chunk] = chunksOf({path: 'f', content: Buffer.from('x'), mtimeSeconds: 1_700_000_000})
    expect(joined(encodeChunk(chunk!, NO_HEADERS).value)!.subarray(-9).toString('hex')).toBe(
      'cb41d954fc40000000',
    )
  })

  it('puts the name append before the suffix', () => {
    const [chunk] = chunksOf({path: 'd/run.tar.gz', content: Buffer.from('x')})
    const value = joined(encodeChunk({...chunk!, nameAppend: '_v2'}, NO_HEADERS).value)
    expect(decodeChunk({value, headers: []})).toHaveProperty('path', 'd/run.tar_v2.gz')
  })
})

describe('every rejection has its own code', () => {
  const good = chunksOf({path: 'd/f', content: Buffer.from('x'.repeat(2500))})[1]!
  const broken = (change: Partial<Chunk>) => joined(encodeChunk({...good, ...change}, NO_HEADERS).value)
  const bytes = broken({})!
  const cases: [keyof typeof POISON_CODES, string, Buffer | null][] = [
    ['NO_VALUE', 'a tombstone', null],
    ['ENCRYPTED', 'KafkaCrypto ciphertext', Buffer.from([0x01, 0x93, 0x00, 0xc4, 0x00, 0xc4, 0x00])],
    ['NOT_MSGPACK', 'an empty value', Buffer.alloc(0)],
    ['NOT_MSGPACK', 'text', Buffer.from('hello')],
    ['NOT_MSGPACK', 'a map', Buffer.from([0x81, 0xa1, 0x61, 0x01])],
    ['WRONG_LENGTH', 'eight elements', Buffer.concat([Buffer.from([0x98]), bytes.subarray(1)])],
    [
      'WRONG_LENGTH',
      'eleven elements',
      Buffer.concat([Buffer.from([0x9b]), bytes.subarray(1), Buffer.from([0])]),
    ],
    ['WRONG_LENGTH', 'four thousand million elements', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ['TRUNCATED', 'a cut value', bytes.subarray(0, -20)],
    ['TRUNCATED', 'a length beyond the value', Buffer.from([0x9a, 0xdb, 0x7f, 0xff, 0xff, 0xff, 0x61])],
    ['TRAILING_BYTES', 'a byte too many', Buffer.concat([bytes, Buffer.from([0])])],
    ['WRONG_TYPE', 'a name that is a number', Buffer.from([0x9a, 0x05])],
    ['WRONG_TYPE', 'an mtime that is nil', Buffer.concat([bytes.subarray(0, -9), Buffer.from([0xc0])])],
    ['NOT_UTF8', 'a Latin-1 name', Buffer.concat([Buffer.from([0x9a, 0xa1, 0xfc]), bytes.subarray(3)])],
    ['BAD_PATH', 'a name of ..', broken({wireName: '..'})],
    ['BAD_PATH', 'a name with a separator', broken({wireName: '../../etc/passwd'})],
    ['BAD_PATH', 'an absolute subdir', broken({subdir: '/etc'})],
    ['BAD_PATH', 'a subdir that climbs', broken({subdir: 'a/../../b'})],
    ['BAD_PATH', 'NUL', broken({wireName: 'a\0b'})],
    ['BAD_PATH', 'an empty name', broken({wireName: ''})],
    ['BAD_PATH', 'an empty name with an append', broken({wireName: '', nameAppend: 'x'})],
    ['BAD_PATH', 'an append that climbs', broken({wireName: 'a', nameAppend: '/../../b'})],
    ['BAD_PATH', 'our own state directory', broken({subdir: '.streamtool/index'})],
    ['BAD_PATH', 'an endless path', broken({subdir: 'd/'.repeat(3000) + 'd'})],
    ['BAD_HASH', 'a hash of one byte', broken({sha512: Buffer.from([1])})],
    ['BAD_RANGE', 'index 0', broken({index: 0})],
    ['BAD_RANGE', 'an index beyond the count', broken({index: 4})],
    ['BAD_RANGE', 'no chunks', broken({index: 0, count: 0})],
    ['BAD_RANGE', 'an offset that no number holds', broken({offsetBytes: Number.MAX_SAFE_INTEGER})],
    ['INCONSISTENT', 'a first chunk that is not at 0', broken({index: 1})],
    [
      'INCONSISTENT',
      'an empty chunk among several',
      broken({data: Buffer.alloc(0), chunkSha512: sha512(Buffer.alloc(0))}),
    ],
    ['INCONSISTENT', 'more chunks before it than bytes', broken({index: 3, offsetBytes: 1})],
    ['CHUNK_HASH_MISMATCH', 'a flipped byte', broken({data: Buffer.from('y'.repeat(1024))})],
  ]
  it.each(cases)('%s: %s', (code, _, value) => {
    expect(decodeChunk({value, headers: []})).toHaveProperty('poison', code)
  })

  it('and each code is reached', () => {
    expect(new Set(cases.map(([code]) => code))).toEqual(new Set(Object.keys(POISON_CODES)))
  })

  it('a negative integer is out of range', () => {
    const negative = Buffer.from([0xd0, 0xff])
    const at = bytes.indexOf(Buffer.from([0xcd, 0x04, 0x00])) // offset 1024
    const value = Buffer.concat([bytes.subarray(0, at), negative, bytes.subarray(at + 3)])
    expect(decodeChunk({value, headers: []})).toHaveProperty('poison', 'BAD_RANGE')
  })
})

describe('headers that make no sense', () => {
  const [chunk] = chunksOf({path: 'f', content: Buffer.from('x')})
  const value = joined(encodeChunk(chunk!, NO_HEADERS).value)
  const header = (key: string, text: string) => ({key, value: Buffer.from(text)})

  it.each([
    ['another version', [header('streamtool', '2'), header('streamtool-size', '5')]],
    ['a size that is no number', [header('streamtool', '1'), header('streamtool-size', '-5')]],
    ['an upload id that is no UUID', [header('streamtool', '1'), header('streamtool-upload', '../..')]],
    ['null values', [header('streamtool', '1'), {key: 'streamtool-size', value: null}]],
    ['a flood of metadata', Array.from({length: 10_000}, (_, i) => header(`streamtool-meta-${i}`, 'x'))],
  ])('are as good as none: %s', (_, headers) => {
    expect(decodeChunk({value, headers})).toMatchObject({headers: {...NO_HEADERS, metadata: {}}})
  })

  it('cannot reach an object prototype', () => {
    const headers = [header('streamtool', '1'), header('streamtool-meta-__proto__', 'x')]
    const result = decodeChunk({value, headers})
    expect(Object.keys((result as {headers: {metadata: object}}).headers.metadata)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})
