import {describe, expect, it} from 'vitest'
import {createMemoryKafka, type MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {encodeChunk} from '../../../src/core/chunk/index.js'
import type {InspectedFile, InspectReport} from '../../../src/core/inspect-report.js'
import {encodeCommitMetadata} from '../../../src/core/offsets/index.js'
import type {OutgoingRecord} from '../../../src/core/record.js'
import {inspectTopic, type InspectTopicOptions} from '../../../src/pipelines/inspect-topic.js'
import {chunksOf, type FileForTest, headersOf, recordsOf} from '../../support/chunks.js'
import {
  deliver,
  kafkaWith,
  realClock,
  RecordingReporter,
  SharedStore,
  StoreDestination,
} from '../../support/delivery.js'

const upload = (last: number) => `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`

/** Five chunks. */
const file = (path: string, options: Partial<FileForTest> = {}): FileForTest => ({
  path,
  content: Buffer.alloc(4500, `${path} `),
  ...options,
})

async function send(kafka: MemoryKafka, records: readonly OutgoingRecord[], partition = 0): Promise<void> {
  const producer = kafka.producer()
  for (const record of records) await producer.send({topic: 't', partition, records: [record]})
}

async function inspect(
  kafka: MemoryKafka,
  options: Partial<InspectTopicOptions> = {},
  signal = new AbortController().signal,
) {
  const reporter = new RecordingReporter()
  const {report, exitCode} = await inspectTopic(
    {command: 'inspect', topic: 't', group: null, verify: false, check: false, wants: null, ...options},
    {admin: kafka.admin(), reader: kafka.reader(), clock: realClock, reporter},
    signal,
  )
  return {report, exitCode, events: reporter.events}
}

const of = ({inventory}: InspectReport, path: string): InspectedFile => {
  const found = inventory.filter((each) => each.path === path)
  expect(found).toHaveLength(1)
  return found[0]!
}
const states = ({inventory}: InspectReport) => inventory.map(({path, state}) => [path, state])

describe('what is on a topic', () => {
  it('is nothing when it is empty', async () => {
    const {report, exitCode} = await inspect(await kafkaWith(2), {check: true})
    expect(report).toMatchObject({
      schema: 1,
      command: 'inspect',
      records: 0,
      files: {complete: 0, incomplete: 0, corrupt: 0, superseded: 0},
      firstRecord: null,
      group: null,
      inventory: [],
    })
    expect(report.partitions).toHaveLength(2)
    expect(exitCode).toBe(0)
  })

  it('is told file by file, with everything that is known', async () => {
    const kafka = await kafkaWith(2)
    const records = recordsOf(file('run/a.csv')).map((record, index) => ({
      ...record,
      timestampMs: Date.UTC(2024, 0, 1, 0, 0, index),
    }))
    await send(kafka, records, 1)
    await send(kafka, recordsOf(file('empty', {content: Buffer.alloc(0)})))
    const {report, events} = await inspect(kafka)
    expect(of(report, 'run/a.csv')).toEqual({
      path: 'run/a.csv',
      state: 'complete',
      bytes: 4500,
      sizeBytes: 4500,
      chunks: 5,
      chunksFound: 5,
      duplicates: 0,
      partitions: [1],
      verification: 'verified',
      sha512: chunksOf(file('run/a.csv'))[0]!.sha512.toString('hex'),
      uploadId: upload(0),
      producer: 'streamtool',
      firstRecord: '2024-01-01T00:00:00.000Z',
      lastRecord: '2024-01-01T00:00:04.000Z',
    })
    expect(of(report, 'empty')).toMatchObject({state: 'complete', bytes: 0, verification: 'verified'})
    expect(report).toMatchObject({records: 6, chunks: 6, poison: 0, duplicates: 0})
    expect(report.partitions).toMatchObject([
      {partition: 0, start: 0, end: 1, records: 1, chunks: 1},
      {partition: 1, start: 0, end: 5, records: 5, chunks: 5},
    ])
    const told = events.filter(({event}) => event === 'file.inspected')
    expect(told).toEqual(report.inventory.map((each) => ({event: 'file.inspected', ...each})))
  })

  it('names missing chunks, and makes an exit code of them only when asked to check', async () => {
    const kafka = await kafkaWith(1)
    const [one, , three] = recordsOf(file('cut'))
    await send(kafka, [one!, three!])
    const {report, exitCode} = await inspect(kafka)
    expect(of(report, 'cut')).toMatchObject({
      state: 'incomplete',
      chunksFound: 2,
      chunks: 5,
      missingChunks: '2,4-5',
      bytes: 2048,
      sizeBytes: 4500,
      verification: null,
    })
    expect(exitCode).toBe(0)
    expect((await inspect(kafka, {check: true})).exitCode).toBe(4)
  })

  it('finds content that is not what its hash says, also behind chunks in disorder when told to verify', async () => {
    const kafka = await kafkaWith(1)
    const lie = (path: string): OutgoingRecord[] => {
      const other = chunksOf(file('another file'))[0]!.sha512
      return chunksOf(file(path)).map((chunk) =>
        encodeChunk({...chunk, sha512: other}, headersOf(file(path))),
      )
    }
    await send(kafka, lie('in order'))
    await send(kafka, lie('in disorder').reverse())
    const [only] = chunksOf(file('short', {content: Buffer.from('x')}))
    const wrong = {...only!, sha512: Buffer.alloc(64)}
    await send(kafka, [encodeChunk(wrong, headersOf(file('short', {content: Buffer.from('x')})))])
    const first = await inspect(kafka, {check: true})
    expect(states(first.report)).toEqual([
      ['in disorder', 'complete'],
      ['in order', 'corrupt'],
      ['short', 'corrupt'],
    ])
    expect(of(first.report, 'in order').reason).toContain('SHA-512')
    expect(first.exitCode).toBe(5)
    const second = await inspect(kafka, {verify: true})
    expect(of(second.report, 'in disorder')).toMatchObject({state: 'corrupt', verification: 'mismatch'})
  })

  it('does not take a size or a place in the file on trust', async () => {
    const kafka = await kafkaWith(1)
    const sized = file('sized')
    await send(
      kafka,
      chunksOf(sized).map((chunk) => encodeChunk(chunk, {...headersOf(sized), sizeBytes: 9})),
    )
    const placed = file('placed')
    const shifted = (offsetBytes: number, index: number) => (index === 3 ? offsetBytes + 1 : offsetBytes)
    await send(
      kafka,
      chunksOf(placed).map((chunk) =>
        encodeChunk({...chunk, offsetBytes: shifted(chunk.offsetBytes, chunk.index)}, headersOf(placed)),
      ),
    )
    const {report} = await inspect(kafka)
    expect(of(report, 'sized')).toMatchObject({
      state: 'corrupt',
      reason: 'it has 4500 bytes, its uploader counted 9',
    })
    expect(of(report, 'placed')).toMatchObject({
      state: 'corrupt',
      reason: 'chunk 3 is for byte 2049, not 2048',
    })
  })
})

describe('chunks in another order', () => {
  it('leave a file unverified, which counts as complete and is told', async () => {
    const kafka = await kafkaWith(1)
    await send(kafka, recordsOf(file('mixed')).reverse())
    const {report, exitCode} = await inspect(kafka, {check: true})
    expect(of(report, 'mixed')).toMatchObject({state: 'complete', verification: 'unverified'})
    expect(of(report, 'mixed').reason).toContain('order')
    expect(report.files).toMatchObject({complete: 1, unverified: 1})
    expect(exitCode).toBe(0)
  })

  it('are read again in file order to verify it, over partitions too', async () => {
    const kafka = await kafkaWith(3)
    const chunks = recordsOf(file('spread', {uploadId: null}))
    for (const [index, chunk] of [...chunks.entries()].reverse()) await send(kafka, [chunk], index % 3)
    await send(kafka, recordsOf(file('other')).reverse(), 2)
    const {report} = await inspect(kafka, {verify: true})
    expect(of(report, 'spread')).toMatchObject({
      state: 'complete',
      verification: 'verified',
      partitions: [0, 1, 2],
    })
    expect(of(report, 'other')).toMatchObject({verification: 'verified', partitions: [2]})
    expect(report.files).toMatchObject({complete: 2, unverified: 0, spread: 1})
  })

  it('stay unverified when they are gone before they are read again', async () => {
    const kafka = createMemoryKafka()
    await kafka.admin().createTopic('t', {partitions: 1})
    await send(kafka, recordsOf(file('gone')).reverse())
    const reader = kafka.reader()
    let reads = 0
    const trimming: typeof reader = {
      ...reader,
      read: async (...args) => {
        if (++reads === 2) kafka.trimLog({topic: 't', partition: 0}, 3)
        await reader.read(...args)
      },
    }
    const {report} = await inspectTopic(
      {command: 'inspect', topic: 't', group: null, verify: true, check: false, wants: null},
      {admin: kafka.admin(), reader: trimming, clock: realClock, reporter: new RecordingReporter()},
      new AbortController().signal,
    )
    expect(of(report, 'gone')).toMatchObject({state: 'complete', verification: 'unverified'})
    expect(of(report, 'gone').reason).toContain('gone')
  })

  it('are no reason to keep data: a file of 100,000 chunks, backwards', async () => {
    const kafka = await kafkaWith(1)
    const small = file('large', {content: Buffer.from('ab')})
    const [model] = chunksOf(small)
    const headers = {...headersOf(small), sizeBytes: 200_000}
    const count = 100_000
    const records = Array.from({length: count}, (_, at) =>
      encodeChunk({...model!, count, index: count - at, offsetBytes: 2 * (count - at - 1)}, headers),
    )
    const producer = kafka.producer()
    for (let from = 0; from < records.length; from += 1000)
      await producer.send({topic: 't', partition: 0, records: records.slice(from, from + 1000)})
    const {report} = await inspect(kafka)
    expect(of(report, 'large')).toMatchObject({state: 'complete', chunks: 100_000, bytes: 200_000})
  })
})

describe('several generations of a path', () => {
  it('are superseded by a newer one that is complete, whatever they are themselves', async () => {
    const kafka = await kafkaWith(1)
    const generation = (last: number) =>
      recordsOf(file('p', {content: Buffer.alloc(3000, last), uploadId: upload(last)}))
    await send(kafka, generation(1))
    await send(kafka, generation(2).slice(1))
    await send(kafka, generation(3))
    await send(kafka, generation(4).slice(0, 1))
    const {report, exitCode} = await inspect(kafka, {check: true})
    expect(states(report)).toEqual([
      ['p', 'superseded'],
      ['p', 'superseded'],
      ['p', 'complete'],
      ['p', 'incomplete'],
    ])
    expect(report.inventory.map(({uploadId}) => uploadId)).toEqual([1, 2, 3, 4].map(upload))
    expect(exitCode).toBe(4)
  })

  it('A, B, A without upload ids: the second A is the newest', async () => {
    const kafka = await kafkaWith(1)
    const [a, b] = ['a', 'b'].map((letter) =>
      recordsOf(file('p', {content: Buffer.alloc(2500, letter), uploadId: null})),
    )
    for (const records of [a!, b!, a!]) await send(kafka, records)
    const {report} = await inspect(kafka)
    expect(report.inventory.map(({state, duplicates}) => [state, duplicates])).toEqual([
      ['superseded', 0],
      ['superseded', 0],
      ['complete', 0],
    ])
  })

  it('repeated chunks of one upload are duplicates and nothing else', async () => {
    const kafka = await kafkaWith(1)
    const records = recordsOf(file('p'))
    await send(kafka, [...records.slice(0, 3), ...records.slice(1), records[4]!])
    const {report} = await inspect(kafka)
    expect(of(report, 'p')).toMatchObject({
      state: 'complete',
      verification: 'verified',
      duplicates: 3,
      bytes: 4500,
    })
    expect(report).toMatchObject({chunks: 8, duplicates: 3})
  })
})

describe('who sent it', () => {
  it('is told by headers and by the length of the chunk', async () => {
    const kafka = await kafkaWith(1)
    const as = (path: string, format: 'openmsistream' | 'openmsistream-9', uploadId: string | null) =>
      chunksOf(file(path)).map((chunk) => encodeChunk(chunk, headersOf(file(path, {uploadId})), format))
    await send(kafka, as('ours', 'openmsistream', upload(1)))
    await send(kafka, as('ours-9', 'openmsistream-9', upload(2)))
    await send(kafka, as('theirs', 'openmsistream', null))
    await send(kafka, as('theirs-9', 'openmsistream-9', null))
    const {report} = await inspect(kafka)
    expect(report.inventory.map(({path, producer}) => [path, producer])).toEqual([
      ['ours', 'streamtool'],
      ['ours-9', 'streamtool'],
      ['theirs', 'openmsistream'],
      ['theirs-9', 'openmsistream-9'],
    ])
    expect(report.producers).toEqual({streamtool: 2, openmsistream: 1, 'openmsistream-9': 1})
  })
})

describe('records that are no chunks', () => {
  it('are counted by reason, with the first of each, and stop nobody', async () => {
    const kafka = await kafkaWith(1)
    const text = (value: string | null) => ({
      key: null,
      value: value === null ? null : [Buffer.from(value)],
      headers: [],
    })
    await send(kafka, [text('hello'), text(null), text('world')])
    await send(kafka, recordsOf(file('p')))
    const {report, events, exitCode} = await inspect(kafka, {check: true})
    expect(report.poison).toBe(3)
    expect(report.poisonCodes).toMatchObject([
      {code: 'NOT_MSGPACK', records: 2, example: {partition: 0, offset: 0}},
      {code: 'NO_VALUE', records: 1, example: {partition: 0, offset: 1}},
    ])
    expect(events.filter(({event}) => event === 'record.poison')).toHaveLength(3)
    expect(report).toMatchObject({records: 8, chunks: 5})
    expect(exitCode).toBe(0)
  })

  it('survives times that are none', async () => {
    const kafka = await kafkaWith(1)
    await send(
      kafka,
      recordsOf(file('p')).map((record) => ({...record, timestampMs: Number.MAX_SAFE_INTEGER})),
    )
    const {report} = await inspect(kafka)
    expect(of(report, 'p')).toMatchObject({firstRecord: null, lastRecord: null})
  })
})

describe('with a group', () => {
  const inGroup = async (kafka: MemoryKafka, group = 'g') => {
    const {report} = await inspect(kafka, {group})
    const {partitions, ...standing} = report.group!
    return {
      standing,
      partitions,
      files: Object.fromEntries(
        report.inventory.map(({path, uploadId, group: state}) => [
          `${path} ${uploadId?.slice(-1) ?? ''}`.trim(),
          state,
        ]),
      ),
    }
  }

  it('that never was, everything is next', async () => {
    const kafka = await kafkaWith(2)
    await send(kafka, recordsOf(file('whole')))
    await send(kafka, recordsOf(file('cut')).slice(1), 1)
    const {standing, partitions, files} = await inGroup(kafka)
    expect(standing).toMatchObject({group: 'g', members: 0, files: {next: 1, open: 1, done: 0}})
    expect(files).toEqual({'whole 0': 'next', 'cut 0': 'open'})
    expect(partitions).toEqual([
      {partition: 0, safeOffset: null, doneAbove: 0, map: 'none', lag: 5, toRead: 5},
      {partition: 1, safeOffset: null, doneAbove: 0, map: 'none', lag: 4, toRead: 4},
    ])
  })

  it('knows what is done behind an open file, by the map in its commit', async () => {
    const kafka = await kafkaWith(1)
    await send(kafka, recordsOf(file('cut')).slice(0, 2))
    await send(kafka, recordsOf(file('whole')))
    await deliver({kafka, destination: new StoreDestination(new SharedStore())})
    await send(kafka, recordsOf(file('later')))
    const {standing, partitions, files} = await inGroup(kafka)
    expect(files).toEqual({'cut 0': 'open', 'whole 0': 'done', 'later 0': 'next'})
    expect(standing.files).toEqual({done: 1, next: 1, open: 1, superseded: 0, partial: 0})
    expect(partitions).toEqual([{partition: 0, safeOffset: 0, doneAbove: 5, map: 'ours', lag: 12, toRead: 7}])
  })

  it('says what an older generation is to it once a newer one is done', async () => {
    const kafka = await kafkaWith(1)
    const generation = (last: number) =>
      recordsOf(file('p', {content: Buffer.alloc(3000, last), uploadId: upload(last)}))
    await send(kafka, generation(1))
    await send(kafka, generation(2))
    expect((await inGroup(kafka)).files).toEqual({'p 1': 'next', 'p 2': 'next'})
    await kafka.admin().resetOffsets('g', [{topic: 't', partition: 0, offset: 3, metadata: ''}])
    expect((await inGroup(kafka)).files).toEqual({'p 1': 'done', 'p 2': 'next'})
    const {clusterId} = await kafka.admin().describeTopic('t')
    const scope = {clusterId, topic: 't', partition: 0, base: 0}
    const {metadata} = encodeCommitMetadata(scope, [{start: 3, end: 6}])
    await kafka.admin().resetOffsets('g', [{topic: 't', partition: 0, offset: 0, metadata}])
    expect((await inGroup(kafka)).files).toEqual({'p 1': 'superseded', 'p 2': 'done'})
  })

  it('says when it was moved into the middle of a file', async () => {
    const kafka = await kafkaWith(1)
    await send(kafka, recordsOf(file('p')))
    await kafka
      .admin()
      .resetOffsets('g', [{topic: 't', partition: 0, offset: 2, metadata: 'somebody else’s'}])
    const {files, partitions} = await inGroup(kafka)
    expect(files).toEqual({'p 0': 'partial'})
    expect(partitions).toMatchObject([{safeOffset: 2, map: 'foreign', lag: 3, toRead: 3}])
  })

  it('is behind by what is still there after a trim, and never by less than nothing', async () => {
    const kafka = await kafkaWith(1)
    await send(kafka, recordsOf(file('p')))
    await send(kafka, recordsOf(file('q')))
    await kafka.admin().resetOffsets('g', [{topic: 't', partition: 0, offset: 2, metadata: ''}])
    kafka.trimLog({topic: 't', partition: 0}, 5)
    expect((await inGroup(kafka)).partitions).toMatchObject([{safeOffset: 2, lag: 5, toRead: 5}])
    await kafka.admin().resetOffsets('g', [{topic: 't', partition: 0, offset: 50, metadata: ''}])
    expect((await inGroup(kafka)).partitions).toMatchObject([{safeOffset: 50, lag: 0, toRead: 0}])
  })
})

describe('an inspection', () => {
  it('tells only of the files that are wanted, and counts all records', async () => {
    const kafka = await kafkaWith(1)
    for (const path of ['a.csv', 'b.txt']) await send(kafka, recordsOf(file(path)))
    const {report} = await inspect(kafka, {wants: (path) => path.endsWith('.csv')})
    expect(states(report)).toEqual([['a.csv', 'complete']])
    expect(report.records).toBe(10)
  })

  it('that is stopped tells what it saw, as interrupted', async () => {
    const kafka = createMemoryKafka({fetchRecords: 1})
    await kafka.admin().createTopic('t', {partitions: 1})
    await send(kafka, recordsOf(file('p')))
    const stop = new AbortController()
    const reader = kafka.reader()
    const {report, exitCode} = await inspectTopic(
      {command: 'inspect', topic: 't', group: null, verify: true, check: true, wants: null},
      {
        admin: kafka.admin(),
        reader: {
          ...reader,
          read: (range, onRecords, signal) =>
            reader.read(
              range,
              async (records, nextOffset) => {
                await onRecords(records, nextOffset)
                if (nextOffset === 3) stop.abort(new Error('stopped'))
              },
              signal,
            ),
        },
        clock: realClock,
        reporter: new RecordingReporter(),
      },
      stop.signal,
    )
    expect(exitCode).toBe(130)
    expect(report).toMatchObject({interrupted: true, records: 3, files: {incomplete: 1}})
  })

  it('fails with what reading fails with, when the other partitions have stopped too', async () => {
    const kafka = await kafkaWith(3)
    const reader = kafka.reader()
    const failure = new Error('of the broker')
    let stopped = 0
    const inspection = inspectTopic(
      {command: 'inspect', topic: 't', group: null, verify: false, check: false, wants: null},
      {
        admin: kafka.admin(),
        reader: {
          ...reader,
          read: ({partition}, _, signal) => {
            if (partition === 1) return Promise.reject(failure)
            return new Promise((_resolve, reject) =>
              signal!.addEventListener('abort', () => {
                stopped += 1
                reject(signal!.reason as Error)
              }),
            )
          },
        },
        clock: realClock,
        reporter: new RecordingReporter(),
      },
      new AbortController().signal,
    )
    await expect(inspection).rejects.toBe(failure)
    expect(stopped).toBe(2)
  })

  it('refuses a topic that is not there', async () => {
    await expect(inspect(createMemoryKafka())).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
  })
})
