import {describe, expect, it} from 'vitest'
import {createMemoryDestination} from '../../../src/adapters/memory/memory-destination.js'
import type {MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {newUploadId} from '../../../src/core/chunk/index.js'
import {decodeLetter, fileLetters} from '../../../src/core/dead-letters/index.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import {IntervalSet} from '../../../src/core/offsets/index.js'
import type {ConsumedRecord, OutgoingRecord} from '../../../src/core/record.js'
import {retryFiles} from '../../../src/pipelines/retry-files.js'
import {recordsOf} from '../../support/chunks.js'
import {
  deliver,
  kafkaWith,
  memorySpill,
  realClock,
  RecordingReporter,
  SharedStore,
  silentLogger,
  StoreDestination,
} from '../../support/delivery.js'

const LONG_AGO_MS = 1_700_000_000_000

async function send(
  kafka: MemoryKafka,
  records: readonly OutgoingRecord[],
  {partition = 0, timestampMs = LONG_AGO_MS} = {},
): Promise<void> {
  for (const record of records)
    await kafka.producer().send({topic: 't', partition, records: [{...record, timestampMs}]})
}

const text = (length: number, letter = 'a') => Buffer.alloc(length, letter)
const file = (path: string, content: Buffer, uploadId: string | null = newUploadId(LONG_AGO_MS)) => ({
  path,
  content,
  chunkBytes: 10,
  uploadId,
})
const notAChunk = (value: Buffer): OutgoingRecord => ({
  key: Buffer.from('k'),
  value: [value],
  headers: [{key: 'h', value: Buffer.from('v')}],
})

async function setUp(partitions = 1) {
  const kafka = await kafkaWith(partitions)
  await kafka.admin().createTopic('dead', {partitions: 2})
  const store = new SharedStore()
  const reporter = new RecordingReporter()
  const run = (options: Parameters<typeof deliver>[0]['options'] = {}, rest = {}) =>
    deliver({
      kafka,
      destination: new StoreDestination(store),
      reporter,
      options: {deadLetterTopic: 'dead', parkAfterMs: 1000, ...options},
      ...rest,
    })
  const letters = async () => {
    const found: ConsumedRecord[] = []
    for (const range of await kafka.admin().partitionRanges('dead'))
      await kafka.reader().read(range, async (records) => void found.push(...records))
    return found
  }
  const retry = (destination = createMemoryDestination(), admin = kafka.admin()) =>
    retryFiles(
      {command: 'retry', from: 'dead', topic: null, group: 'r', memoryBytes: 1 << 20, concurrency: 2},
      {
        admin,
        reader: kafka.reader(),
        destination,
        spill: memorySpill(),
        clock: realClock,
        logger: silentLogger,
        reporter,
        steps: {reached: () => undefined},
      },
      new AbortController().signal,
    )
  const committed = async () => (await kafka.admin().committedOffsets('g', 't')).map(({offset}) => offset)
  return {kafka, store, reporter, run, letters, retry, committed}
}

describe('an incomplete file', () => {
  it('is parked when it has been idle for long: named on the dead-letter topic, and nothing waits for it', async () => {
    const {kafka, run, letters, committed, reporter} = await setUp()
    const records = recordsOf(file('a/b', text(45)))
    await send(kafka, [records[0]!, records[3]!, records[1]!])
    await send(kafka, recordsOf(file('c', text(15))))

    const {report, exitCode} = await run()
    expect(report.files).toMatchObject({delivered: 1, parked: 1, incomplete: 0})
    expect(report.problems).toEqual([
      expect.objectContaining({path: 'a/b', outcome: 'parked', code: 'FILE_PARKED', missingChunks: '3,5'}),
    ])
    expect(exitCode).toBe(4)
    expect(reporter.paths('file.parked')).toEqual(['a/b'])
    expect(await committed()).toEqual([5])

    const [letter, ...others] = await letters()
    expect(others).toEqual([])
    expect(decodeLetter(letter!)).toMatchObject({
      kind: 'file',
      topic: 't',
      path: 'a/b',
      chunkCount: 5,
      missingChunks: '3,5',
      cause: {code: 'FILE_PARKED', group: 'g'},
    })
    expect((await run()).report).toMatchObject({records: 0, files: {parked: 0}})
  })

  it('waits while it is young, or without a dead-letter topic', async () => {
    const {kafka, run, letters, committed} = await setUp()
    await send(kafka, recordsOf(file('young', text(25))).slice(1), {timestampMs: Date.now()})
    expect((await run({parkAfterMs: 60_000, incompleteAfterMs: 60_000})).report.files).toMatchObject({
      open: 1,
      parked: 0,
    })
    const never = await run({deadLetterTopic: null, parkAfterMs: null})
    expect(never.report.files).toMatchObject({incomplete: 1, parked: 0})
    expect(await letters()).toEqual([])
    expect(await committed()).toEqual([0])
  })

  it('is not parked by a clock that runs ahead, nor kept for ever by one', async () => {
    const {kafka, run} = await setUp()
    await send(kafka, recordsOf(file('future', text(25))).slice(1), {timestampMs: Date.now() + 1e9})
    expect((await run({parkAfterMs: 60_000})).report.files).toMatchObject({parked: 0, incomplete: 1})
    expect((await run({parkAfterMs: 0})).report.files.parked).toBe(1)
  })

  it('stays open when the dead-letter topic does not take it', async () => {
    const {kafka, run, letters, committed, reporter} = await setUp()
    await send(kafka, recordsOf(file('a', text(25))).slice(1))
    kafka.failNext('produce', 'refused', {code: 'NOT_AUTHORISED'})
    expect((await run()).report.files).toMatchObject({parked: 0, incomplete: 1})
    expect(await committed()).toEqual([0])
    expect(reporter.events).toContainEqual(expect.objectContaining({code: 'DEAD_LETTER_FAILED'}))
    expect(await letters()).toEqual([])
    expect((await run()).report.files.parked).toBe(1)
  })

  it('is delivered after all when its chunks come after it was parked, by retrying', async () => {
    const {kafka, run, retry, letters} = await setUp()
    const content = Buffer.concat([text(10, 'x'), text(10, 'y'), text(5, 'z')])
    const records = recordsOf(file('late', content))
    await send(kafka, records.slice(0, 1))
    await run()
    const destination = createMemoryDestination()
    const tooEarly = await retry(destination)
    expect(tooEarly.report.files).toMatchObject({delivered: 0, incomplete: 1})
    expect(tooEarly.exitCode).toBe(4)

    await send(kafka, records.slice(1))
    expect((await run()).report.files.parked).toBe(1)
    expect(await letters()).toHaveLength(2)
    const {report, exitCode} = await retry(destination)
    expect(report.files).toMatchObject({delivered: 1, incomplete: 0})
    expect(exitCode).toBe(0)
    expect(destination.files.get('late')?.content).toEqual(content)
    expect((await retry(destination)).report).toMatchObject({records: 0, files: {delivered: 0}})
  })

  it('is delivered by retrying when its chunks came since, whoever read them', async () => {
    const {kafka, run, retry} = await setUp()
    const content = Buffer.concat([text(10, 'x'), text(10, 'y'), text(5, 'z')])
    const records = recordsOf(file('late', content))
    await send(kafka, [records[1]!])
    await run()
    await send(kafka, recordsOf(file('other', text(15))))
    await send(kafka, [records[2]!, records[0]!])
    const destination = createMemoryDestination()
    expect((await retry(destination)).report.files).toMatchObject({delivered: 1, incomplete: 0})
    expect(destination.files.get('late')?.content).toEqual(content)
    expect((await run({}, {destination})).report.files).toMatchObject({
      delivered: 1,
      parked: 0,
      incomplete: 0,
    })
  })

  it('is said to be gone when the topic has forgotten its records', async () => {
    const {kafka, run, retry} = await setUp()
    await send(kafka, recordsOf(file('old', text(25))).slice(1))
    await run()
    kafka.trimLog({topic: 't', partition: 0}, 1)
    const {report, exitCode} = await retry()
    expect(report.problems).toEqual([
      expect.objectContaining({path: 'old', outcome: 'failed', code: 'RECORDS_GONE'}),
    ])
    expect(exitCode).toBe(4)
  })
})

describe('a file that does not match its hash', () => {
  it('is parked at once when there is a dead-letter topic, and still ends with 5', async () => {
    const {kafka, run, letters, committed} = await setUp()
    const [one, two] = recordsOf(file('bad', text(20)))
    const [, other] = recordsOf({...file('bad', Buffer.concat([text(10), text(10, 'b')]))})
    // The second chunk of another content, under the first one's name and hash.
    const forged = Buffer.concat(other!.value as Buffer[])
    const genuine = Buffer.concat(two!.value as Buffer[])
    const hashAt = genuine.indexOf(Buffer.from([0xc4, 0x40])) + 2
    genuine.copy(forged, hashAt, hashAt, hashAt + 64)
    await send(kafka, [one!, {...two!, value: [forged]}])
    const {report, exitCode} = await run({parkAfterMs: null})
    expect(report.files).toMatchObject({delivered: 0, failed: 0, parked: 1})
    expect(exitCode).toBe(5)
    expect(await letters()).toHaveLength(1)
    expect(await committed()).toEqual([2])
  })
})

describe('a record that is no chunk', () => {
  it('is copied as it was, with where it came from and why', async () => {
    const {kafka, run, letters, committed} = await setUp()
    await send(kafka, [notAChunk(Buffer.from('hello')), notAChunk(Buffer.from([0xc0]))])
    const {report, exitCode} = await run()
    expect(report.poison).toBe(2)
    expect(exitCode).toBe(0)
    const found = await letters()
    expect(found.map(({key, value}) => [String(key), value])).toEqual([
      ['k', Buffer.from('hello')],
      ['k', Buffer.from([0xc0])],
    ])
    expect(found[0]!.headers[0]).toEqual({key: 'h', value: Buffer.from('v')})
    expect(decodeLetter(found[1]!)).toMatchObject({
      kind: 'record',
      isCopy: true,
      origin: {topic: 't', partition: 0, offset: 1},
      cause: {code: 'NOT_MSGPACK', group: 'g'},
    })
    expect(await committed()).toEqual([2])
  })

  it('is named only when it is too large to be sent again', async () => {
    const {kafka, run, letters} = await setUp()
    await send(kafka, [notAChunk(Buffer.from('small')), notAChunk(Buffer.alloc(1_048_300))])
    await run()
    const found = (await letters()).map((record) => decodeLetter(record))
    expect(found).toEqual([
      expect.objectContaining({isCopy: true}),
      expect.objectContaining({isCopy: false, origin: {topic: 't', partition: 0, offset: 1}}),
    ])
  })

  it('stays open until the dead-letter topic has it', async () => {
    const {kafka, run, committed, letters} = await setUp()
    await send(kafka, [notAChunk(Buffer.from('x'))])
    await send(kafka, recordsOf(file('a', text(15))))
    kafka.failNext('produce', 'refused', {code: 'BROKER_UNREACHABLE'})
    expect((await run()).report.files.delivered).toBe(1)
    expect(await committed()).toEqual([0])
    await run()
    expect(await letters()).toHaveLength(1)
    expect(await committed()).toEqual([3])
  })

  it('is refused again by retrying, and stays', async () => {
    const {kafka, run, retry} = await setUp()
    await send(kafka, [notAChunk(Buffer.from('x'))])
    await run()
    expect((await retry()).report).toMatchObject({poison: 1, records: 1})
    expect((await retry()).report).toMatchObject({poison: 1, records: 1})
  })
})

describe('a dead-letter topic that anybody may write to', () => {
  it('makes retrying neither fail nor deliver what no letter of ours is about', async () => {
    const {kafka, run, retry} = await setUp()
    await send(kafka, recordsOf(file('whole', text(25))))
    await run()
    const header = (key: string, value: string) => ({key, value: Buffer.from(value)})
    const version = header('streamtool-dead-letter', '1')
    const record = (json: unknown, kind = 'file'): OutgoingRecord => ({
      key: null,
      value: [Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))],
      headers: [version, header('streamtool-dead-letter-kind', kind)],
    })
    const letter = {
      schema: 1,
      topic: 'nowhere',
      path: '../etc/passwd',
      sha512: '0'.repeat(128),
      uploadId: null,
      chunkCount: 2,
      missingChunks: '',
      records: {'0': '0-9007199254740990'},
    }
    const hostile = [
      record('{'),
      record(letter),
      record({...letter, records: {'-1': '1'}}),
      record({...letter, records: {'0': '5-1'}}),
      record({...letter, topic: 't', records: {'99': '1-5'}}),
      record({...letter, topic: 't', path: 'whole', records: {'0': '0-100000'}}),
      record('x', 'reference'),
      notAChunk(Buffer.from('anything')),
    ]
    await kafka.producer().send({topic: 'dead', partition: 1, records: hostile})
    const destination = createMemoryDestination()
    const {report} = await retry(destination)
    expect(report.files.delivered).toBe(0)
    expect([...destination.files]).toEqual([])
    expect(new Set(report.problems.map(({path, code}) => `${path} ${code}`))).toEqual(
      new Set(['../etc/passwd RECORDS_GONE', 'whole RECORDS_GONE']),
    )
  })
})

describe('a letter about a topic that may not be read', () => {
  it('does not keep the others from being retried', async () => {
    const {kafka, run, retry} = await setUp()
    const records = recordsOf(file('good', text(25)))
    await send(kafka, records.slice(1))
    await run()
    await send(kafka, records.slice(0, 1))
    const secret = fileLetters({
      kind: 'file',
      cause: {code: 'X', reason: 'x', group: 'g'},
      topic: 'secret',
      path: 'p',
      sha512: '0'.repeat(128),
      uploadId: null,
      chunkCount: 2,
      missingChunks: '',
      records: new Map([[0, IntervalSet.of([{start: 0, end: 5}])]]),
    })
    await kafka.producer().send({topic: 'dead', partition: 0, records: secret})
    const admin = kafka.admin()
    const forbidding = {
      ...admin,
      describeTopic: (topic: string) =>
        topic === 'secret'
          ? Promise.reject(new StreamtoolError('NOT_AUTHORISED', 'no'))
          : admin.describeTopic(topic),
    }
    const {report} = await retry(createMemoryDestination(), forbidding)
    expect(report.files).toMatchObject({delivered: 1, failed: 1})
  })
})

describe('a copy of a chunk that comes after a restart', () => {
  /** Delivers a file, and sends some of its chunks again for a process that never saw it. */
  async function afterRestart(
    uploadId: string | null,
    destination = new StoreDestination(new SharedStore()),
  ) {
    const {kafka, run, committed} = await setUp()
    await send(kafka, recordsOf(file('before', text(95))))
    const records = recordsOf(file('a', text(35), uploadId))
    await send(kafka, records)
    await run({}, {destination})
    await send(kafka, [records[2]!, records[0]!])
    await send(kafka, recordsOf(file('after', text(15))))
    const result = await run({parkAfterMs: null}, {destination})
    return {...result, committed: await committed()}
  }

  it('is known by the upload that lies done behind it', async () => {
    const {report, exitCode, committed} = await afterRestart(newUploadId(LONG_AGO_MS))
    expect(report.files).toMatchObject({delivered: 1, incomplete: 0, open: 0})
    expect(exitCode).toBe(0)
    expect(committed).toEqual([18])
  })

  it('is known by what the destination has', async () => {
    const destination = createMemoryDestination()
    for (const uploadId of [null, '00000000-0000-4000-8000-000000000001']) {
      const {report, committed} = await afterRestart(uploadId, destination as never)
      expect(report.files).toMatchObject({delivered: 1, incomplete: 0})
      expect(committed).toEqual([18])
    }
  })

  it('of a chunk of a file that was superseded before it was complete is done, and is not parked', async () => {
    const {kafka, run, letters, committed} = await setUp()
    const destination = createMemoryDestination()
    const records = recordsOf(file('a', text(25, 'o')))
    await send(kafka, records.slice(1))
    await send(kafka, recordsOf(file('a', text(15, 'n'))))
    expect((await run({}, {destination})).report.files).toMatchObject({delivered: 1, superseded: 1})
    await send(kafka, records.slice(0, 1))
    const {report, exitCode} = await run({}, {destination})
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, superseded: 1, parked: 0})
    expect(await letters()).toEqual([])
    expect(await committed()).toEqual([5])
  })

  it('stays open when nobody knows: an upload of which not all chunks are done is no copy', async () => {
    const {kafka, run} = await setUp()
    const records = recordsOf(file('a', text(35)))
    await send(kafka, records.slice(0, 3))
    await run({parkAfterMs: null})
    await kafka.admin().resetOffsets('g', [{topic: 't', partition: 0, offset: 2, metadata: ''}])
    const {report} = await run({parkAfterMs: null})
    expect(report.files).toMatchObject({incomplete: 1})
    expect(report.problems[0]?.missingChunks).toBe('1-2,4')
  })
})

describe('the dead-letter topic', () => {
  it('must be there before anything is read', async () => {
    const {kafka, run, committed} = await setUp()
    await send(kafka, recordsOf(file('a', text(15))))
    kafka
      .admin()
      .createTopic('t2', {partitions: 1})
      .catch(() => undefined)
    await expect(
      deliverWith(kafka, new StreamtoolError('TOPIC_UNKNOWN', 'Topic dead does not exist')),
    ).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
    expect(await committed()).toEqual([])
    await run()
  })
})

/** A cluster that makes no topics on demand. */
function deliverWith(kafka: MemoryKafka, unknown: Error) {
  const admin = kafka.admin()
  const strict = {
    ...kafka,
    admin: () => ({
      ...admin,
      describeTopic: (topic: string, options?: {mayCreate?: boolean}) =>
        topic === 'dead' ? Promise.reject(unknown) : admin.describeTopic(topic, options),
    }),
  }
  return deliver({
    kafka: strict,
    destination: new StoreDestination(new SharedStore()),
    options: {deadLetterTopic: 'dead'},
  })
}
