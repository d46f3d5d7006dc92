/** A topic `t` in memory, what is on it, and deliveries of it: the stage of most tests of `deliverFiles`. */
import {vi} from 'vitest'
import type {MemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import type {PipelineEvent} from '../../src/core/report.js'
import type {OutgoingRecord} from '../../src/core/record.js'
import {type FileForTest, recordsOf} from './chunks.js'
import {deliver, kafkaWith, RecordingReporter, SharedStore, StoreDestination} from './delivery.js'
import {deferred} from './eventually.js'

/** Of records, unless told otherwise: long ago, so that nothing counts as on its way. */
export const LONG_AGO_MS = 1_700_000_000_000

type Overrides = Partial<Parameters<typeof deliver>[0]>

export interface SendOptions {
  readonly partition?: number
  readonly timestampMs?: number
}

export class TopicForTest {
  readonly store = new SharedStore()
  readonly reporter = new RecordingReporter()
  private clockMs = LONG_AGO_MS

  private constructor(readonly kafka: MemoryKafka) {}

  static async with(partitions = 1, kafka?: MemoryKafka): Promise<TopicForTest> {
    if (kafka) await kafka.admin().createTopic('t', {partitions})
    return new TopicForTest(kafka ?? (await kafkaWith(partitions)))
  }

  /** Each in a batch of its own, a millisecond after the one before. @returns the offset of the last one */
  async send(
    records: readonly OutgoingRecord[],
    {partition = 0, timestampMs}: SendOptions = {},
  ): Promise<number> {
    let last = -1
    for (const record of records) {
      const timed = {...record, timestampMs: timestampMs ?? this.clockMs++}
      last = (await this.kafka.producer().send({topic: 't', partition, records: [timed]})).baseOffset
    }
    return last
  }

  run(overrides: Overrides = {}) {
    return deliver({
      kafka: this.kafka,
      destination: new StoreDestination(this.store),
      reporter: this.reporter,
      ...overrides,
    })
  }

  /** Until `stop` is called. */
  start(overrides: Overrides = {}): {stop: () => ReturnType<typeof deliver>} {
    const ended = new AbortController()
    const running = this.run({
      signal: ended.signal,
      ...overrides,
      options: {once: false, commitIntervalMs: 2, ...overrides.options},
    })
    running.catch(() => undefined)
    return {
      stop: () => {
        ended.abort()
        return running
      },
    }
  }

  /** By partition. */
  async committed(): Promise<number[]> {
    return (await this.kafka.admin().committedOffsets('g', 't')).map(({offset}) => offset)
  }

  events(name: PipelineEvent['event']): PipelineEvent[] {
    return this.reporter.events.filter(({event}) => event === name)
  }

  warnings(code: string): PipelineEvent[] {
    return this.events('warning').filter((event) => 'code' in event && event.code === code)
  }
}

export const text = (length: number, letter = 'a'): Buffer => Buffer.alloc(length, letter)

export const uploadId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** Cut into chunks of ten bytes. */
export function recordsFor(path: string, content: Buffer, rest: Partial<FileForTest> = {}): OutgoingRecord[] {
  return recordsOf({path, content, chunkBytes: 10, ...rest})
}

/** Whole in its chunks, and not what was announced. */
export function mismatching(records: readonly OutgoingRecord[]): OutgoingRecord[] {
  return records.map((record) => ({
    ...record,
    headers: record.headers.map((header) =>
      header.key === 'streamtool-size' ? {...header, value: Buffer.from('999')} : header,
    ),
  }))
}

/** Asks until what is expected is there. */
export const until = (expected: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(expected, {timeout: 30_000, interval: 2})

/** Holds back whoever waits at it until it is opened. */
export class Gate {
  private readonly arrival = deferred()
  private readonly opening = deferred()
  /** Resolves when somebody waits. */
  readonly reached = this.arrival.promise
  readonly open = this.opening.resolve

  readonly pass = (): Promise<void> => {
    this.arrival.resolve()
    return this.opening.promise
  }
}
