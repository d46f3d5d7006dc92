import {randomBytes} from 'node:crypto'
import {describe, expect, it} from 'vitest'
import type {MemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {createMemoryKafka} from '../../../src/adapters/memory/kafka/index.js'
import {decodeChunk} from '../../../src/core/chunk/index.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import type {
  FileSource,
  ProduceBatch,
  RecordProducer,
  SourceFile,
  SourceProblem,
} from '../../../src/core/ports/index.js'
import {sendFiles, type SendFilesOptions} from '../../../src/pipelines/send-files.js'
import {
  deliver,
  realClock,
  RecordingReporter,
  SharedStore,
  silentLogger,
  StoreDestination,
} from '../../support/delivery.js'
import {noSteps} from '../../support/quiet.js'

/** A file whose content a test can change between two looks at it. */
class ChangingFile implements SourceFile {
  readonly localPath: string
  reads = 0
  onRead: (read: number) => void = () => undefined
  private mtimeMs = 1_700_000_000_000

  constructor(
    readonly path: string,
    public content: Buffer,
  ) {
    this.localPath = `./${path}`
  }
  get sizeBytes(): number {
    return this.content.length
  }
  change(content: Buffer): void {
    this.content = content
    this.mtimeMs += 1000
  }
  async open() {
    return {
      identify: async () => ({sizeBytes: this.content.length, mtimeMs: this.mtimeMs, inode: '1'}),
      read: async (buffer: Buffer, position: number) => {
        this.onRead(++this.reads)
        return this.content.subarray(position, position + buffer.length).copy(buffer)
      },
      close: async () => undefined,
    }
  }
}

const sourceOf = (...files: (SourceFile | SourceProblem)[]): FileSource => ({
  async *list() {
    for (const file of files) yield await Promise.resolve(file)
  },
})

const instantClock = {...realClock, sleep: () => Promise.resolve()}

async function setUp(partitions = 3, config: Record<string, string> = {}) {
  const kafka = createMemoryKafka()
  await kafka.admin().createTopic('t', {partitions, config})
  const reporter = new RecordingReporter()
  const batches: ProduceBatch[] = []
  const producer: RecordProducer = {
    send: async (batch, signal) => {
      batches.push(batch)
      // As long as a request takes: what comes meanwhile shares the next one.
      await new Promise((resolve) => setTimeout(resolve, 1))
      return kafka.producer().send(batch, signal)
    },
    close: () => Promise.resolve(),
  }
  const send = (
    source: FileSource,
    overrides: Partial<SendFilesOptions> = {},
    signal = new AbortController().signal,
  ) =>
    sendFiles(
      {
        command: 'upload',
        topic: 't',
        chunkBytes: 1000,
        wireFormat: 'openmsistream',
        inFlightBytes: 1 << 20,
        metadata: {},
        ...overrides,
      },
      {
        source,
        admin: kafka.admin(),
        producer,
        clock: instantClock,
        logger: silentLogger,
        reporter,
        steps: noSteps,
      },
      signal,
    )
  return {kafka, reporter, batches, send}
}

async function received(kafka: MemoryKafka): Promise<SharedStore> {
  const store = new SharedStore()
  await deliver({kafka, destination: new StoreDestination(store)})
  return store
}

describe('files that are sent', () => {
  it('arrive: empty, small, many, and of many chunks', async () => {
    const {kafka, send} = await setUp()
    const files = [0, 1, 999, 1000, 1001, 54_321].map((n) => new ChangingFile(`f/${n}`, randomBytes(n)))
    const small = Array.from({length: 300}, (_, i) => new ChangingFile(`small/${i}`, randomBytes(i)))
    const {report, exitCode} = await send(sourceOf(...files, ...small))
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({files: {uploaded: 306, failed: 0}, interrupted: false, problems: []})
    const store = await received(kafka)
    for (const {path, content} of [...files, ...small])
      expect(store.files.get(path)?.content.equals(content)).toBe(true)
  })

  it('travel many to a request, each file in one partition', async () => {
    const {batches, send} = await setUp()
    const small = Array.from({length: 500}, (_, i) => new ChangingFile(`small/${i}`, randomBytes(100)))
    await send(sourceOf(...small))
    expect(batches.length).toBeLessThan(100)
    const partitionsOf = new Map<string, Set<number>>()
    for (const {partition, records} of batches) {
      for (const {value, headers} of records) {
        const decoded = decodeChunk({value: value && Buffer.concat(value), headers})
        if ('poison' in decoded) throw new Error(decoded.reason)
        partitionsOf.set(decoded.path, (partitionsOf.get(decoded.path) ?? new Set()).add(partition))
      }
    }
    expect([...partitionsOf.values()].every((partitions) => partitions.size === 1)).toBe(true)
    expect(new Set([...partitionsOf.values()].flatMap((partitions) => [...partitions]))).toEqual(
      new Set([0, 1, 2]),
    )
  })

  it('never have more bytes under way than the budget', async () => {
    const {kafka, reporter} = await setUp()
    let underWay = 0
    let most = 0
    const producer: RecordProducer = {
      send: async (batch) => {
        const bytes = batch.records.reduce((sum, {value}) => sum + Buffer.concat(value ?? []).length, 0)
        underWay += bytes
        most = Math.max(most, underWay)
        const sent = await kafka.producer().send(batch)
        await new Promise((resolve) => setTimeout(resolve, 1))
        underWay -= bytes
        return sent
      },
      close: () => Promise.resolve(),
    }
    const options = {
      command: 'upload',
      topic: 't',
      chunkBytes: 1000,
      wireFormat: 'openmsistream' as const,
      metadata: {},
    }
    const ports = {
      source: sourceOf(new ChangingFile('big', randomBytes(200_000))),
      admin: kafka.admin(),
      producer,
    }
    await sendFiles(
      {...options, inFlightBytes: 10_000},
      {...ports, clock: instantClock, logger: silentLogger, reporter, steps: noSteps},
      new AbortController().signal,
    )
    expect(most).toBeGreaterThan(5000)
    expect(most).toBeLessThanOrEqual(10_000)
  })
})

describe('a file that changes while it is read', () => {
  it.each([
    ['between hashing and sending', 8],
    ['after half of it was sent', 15],
    ['before its last chunk was hashed', 9],
  ])('%s is sent anew, and arrives as it is in the end', async (_, atRead) => {
    const {kafka, send} = await setUp()
    const file = new ChangingFile('log', Buffer.alloc(10_000, 'a'))
    const grown = Buffer.alloc(12_345, 'b')
    file.onRead = (read) => {
      if (read === atRead) file.change(grown)
    }
    const {report} = await send(sourceOf(file))
    expect(report.files).toMatchObject({uploaded: 1, failed: 0})
    const store = await received(kafka)
    expect(store.files.get('log')?.content.equals(grown)).toBe(true)
  })

  it('is noticed by its content alone when size and time stay the same', async () => {
    const {kafka, send} = await setUp()
    const file = new ChangingFile('sneaky', Buffer.alloc(10_000, 'a'))
    file.onRead = (read) => {
      if (read === 15) file.content = Buffer.alloc(10_000, 'b')
    }
    await send(sourceOf(file))
    expect((await received(kafka)).files.get('sneaky')?.content.equals(Buffer.alloc(10_000, 'b'))).toBe(true)
  })

  it('shrinks to nothing: arrives empty', async () => {
    const {kafka, send} = await setUp()
    const file = new ChangingFile('log', Buffer.alloc(10_000, 'a'))
    file.onRead = (read) => {
      if (read === 3) file.change(Buffer.alloc(0))
    }
    await send(sourceOf(file))
    expect((await received(kafka)).content('log')).toBe('')
  })

  it('and never stops changing is a failed file; the others are sent', async () => {
    const {kafka, reporter, send} = await setUp()
    const restless = new ChangingFile('restless', Buffer.alloc(10_000))
    restless.onRead = () => restless.change(randomBytes(10_000))
    const {report, exitCode} = await send(sourceOf(restless, new ChangingFile('calm', Buffer.from('calm'))))
    expect(exitCode).toBe(4)
    expect(report).toMatchObject({
      files: {uploaded: 1, failed: 1},
      problems: [{path: 'restless', outcome: 'failed', code: 'FILE_CHANGED'}],
    })
    expect(reporter.paths('file.failed')).toEqual(['restless'])
    expect((await received(kafka)).content('calm')).toBe('calm')
  })
})

describe('what cannot be sent', () => {
  it('an unreadable file is told, and the rest is sent', async () => {
    const {send} = await setUp()
    const forbidden: SourceFile = {
      path: 'secret',
      localPath: '/root/secret',
      sizeBytes: 1,
      open: () => Promise.reject(new Error('EACCES: permission denied')),
    }
    const broken: SourceProblem = {
      localPath: 'dir/\ufffd',
      path: null,
      code: 'PATH_UNSENDABLE',
      reason: 'The name is not UTF-8.',
    }
    const {report, exitCode} = await send(
      sourceOf(forbidden, broken, new ChangingFile('fine', Buffer.from('x'))),
    )
    expect(exitCode).toBe(4)
    expect(report.files).toEqual({uploaded: 1, skipped: 0, failed: 2})
    expect(report.problems.map(({code}) => code).sort()).toEqual(['FILE_UNREADABLE', 'PATH_UNSENDABLE'])
  })

  it('a chunk size that the topic does not take is refused before anything is sent', async () => {
    const {batches, send} = await setUp(1, {'max.message.bytes': '100000'})
    const sending = send(sourceOf(new ChangingFile('f', Buffer.from('x'))), {chunkBytes: 524_288})
    await expect(sending).rejects.toMatchObject({code: 'CHUNK_TOO_LARGE_FOR_TOPIC', exitCode: 2})
    await expect(sending).rejects.toHaveProperty('suggestions.0', 'Use --chunk-size 96KiB or less.')
    expect(batches).toEqual([])
  })

  it('a path that is too long for the largest chunk gets smaller ones', async () => {
    const {kafka, send} = await setUp(1, {'max.message.bytes': '10000'})
    const path = `${'d'.repeat(200)}/`.repeat(9) + 'f'
    const content = randomBytes(30_000)
    const {report} = await send(sourceOf(new ChangingFile(path, content)), {chunkBytes: 8900})
    expect(report.files.uploaded).toBe(1)
    expect((await received(kafka)).files.get(path)?.content.equals(content)).toBe(true)
  })

  it('a broker that stays away ends the run with its error', async () => {
    const {kafka, send} = await setUp()
    kafka.failNext('produce', 'refused', {times: 1000, code: 'BROKER_UNREACHABLE'})
    const files = Array.from({length: 100}, (_, i) => new ChangingFile(`f${i}`, randomBytes(2000)))
    await expect(send(sourceOf(...files))).rejects.toMatchObject({code: 'BROKER_UNREACHABLE', exitCode: 3})
  })

  it('an answer lost after the broker had written leaves a duplicate, which the receiver ignores', async () => {
    const {kafka, send} = await setUp(1)
    const content = randomBytes(5000)
    await send(sourceOf(new ChangingFile('f', content)))
    await send(sourceOf(new ChangingFile('f', content)))
    expect((await received(kafka)).files.get('f')?.content.equals(content)).toBe(true)
  })

  it('interrupted, it says so with what was sent', async () => {
    const {send} = await setUp()
    const stop = new AbortController()
    const big = new ChangingFile('big', randomBytes(100_000))
    big.onRead = (read) => {
      if (read === 120) stop.abort(new StreamtoolError('INTERRUPTED', 'stopped'))
    }
    const {report, exitCode} = await send(sourceOf(big), {}, stop.signal)
    expect(exitCode).toBe(130)
    expect(report).toMatchObject({interrupted: true, files: {uploaded: 0, failed: 0}})
  })
})
