/** A relay from topic `in` to topic `out` in memory, with what tests want to say of it. */
import {
  createMemoryKafka,
  type MemoryKafka,
  type MemoryKafkaOptions,
} from '../../src/adapters/memory/kafka/index.js'
import type {ConsumedRecord, OutgoingRecord, RunControl, StepObserver} from '../../src/core/ports/index.js'
import {identity, type RecordTransform} from '../../src/core/relay/index.js'
import {RELAY_DEFAULTS, type RelayOptions} from '../../src/pipelines/relaying/options.js'
import {relayRecords} from '../../src/pipelines/relay-records.js'
import {realClock, RecordingReporter, silentLogger} from './delivery.js'

export interface RelayMember {
  readonly kafka: MemoryKafka
  readonly options?: Partial<RelayOptions>
  readonly transform?: RecordTransform
  readonly reporter?: RecordingReporter
  readonly signal?: AbortSignal
  readonly steps?: StepObserver
  readonly producer?: ReturnType<MemoryKafka['producer']>
  readonly onControl?: (control: RunControl) => void
}

export const QUICK_RETRY = {timeoutMs: null, maxAttempts: 3, backOff: {initialMs: 1, maxMs: 4, multiplier: 2}}

export function relay({
  kafka,
  options = {},
  transform,
  reporter,
  signal,
  steps,
  producer,
  onControl,
}: RelayMember) {
  const all: RelayOptions = {
    command: 'passthrough',
    inputs: ['in'],
    output: 'out',
    group: 'g',
    once: true,
    ...RELAY_DEFAULTS,
    retry: QUICK_RETRY,
    failure: {onFailure: 'stop', deadLetterTopic: null, deadLetterPartitions: null},
    partitioning: {by: 'key'},
    requiredGroups: [],
    contentType: null,
    headerMode: 'headers',
    ...options,
  }
  return relayRecords(
    all,
    {
      consumer: kafka.groupConsumer({
        topics: all.inputs,
        groupId: all.group,
        instanceId: null,
        leaveOnStop: true,
      }),
      admin: kafka.admin(),
      producer: producer ?? kafka.producer(),
      transform: transform ?? identity,
      clock: realClock,
      logger: silentLogger,
      reporter: reporter ?? new RecordingReporter(),
      steps: steps ?? {reached: () => undefined},
      ...(onControl ? {onControl} : {}),
    },
    signal ?? new AbortController().signal,
  )
}

export async function relayKafka(
  {inPartitions = 1, outPartitions = 1}: {inPartitions?: number; outPartitions?: number} = {},
  options: MemoryKafkaOptions = {},
): Promise<MemoryKafka> {
  const kafka = createMemoryKafka(options)
  await kafka.admin().createTopic('in', {partitions: inPartitions})
  await kafka.admin().createTopic('out', {partitions: outPartitions})
  return kafka
}

export async function put(
  kafka: MemoryKafka,
  records: readonly (Partial<Omit<OutgoingRecord, 'value'>> & {readonly value: string | Buffer | null})[],
  {topic = 'in', partition = 0}: {topic?: string; partition?: number} = {},
): Promise<void> {
  await kafka.producer().send({
    topic,
    partition,
    records: records.map(({value, ...rest}) => ({
      key: null,
      headers: [],
      ...rest,
      value: value === null ? null : [Buffer.from(value)],
    })),
  })
}

/** Everything on the topic, by partition. */
export async function recordsOn(kafka: MemoryKafka, topic = 'out'): Promise<ConsumedRecord[][]> {
  const found: ConsumedRecord[][] = []
  for (const range of await kafka.admin().partitionRanges(topic)) {
    const records: ConsumedRecord[] = []
    await kafka.reader().read(range, async (some) => void records.push(...some))
    found.push(records)
  }
  return found
}

export async function valuesOn(kafka: MemoryKafka, topic = 'out'): Promise<(string | null)[]> {
  return (await recordsOn(kafka, topic)).flat().map(({value}) => value?.toString('utf8') ?? null)
}

/** Transforms by a function of the text. */
export const byText = (change: (text: string) => string): RecordTransform => ({
  name: 'test',
  transform: ({value, key, headers}) => ({key, headers, value: [Buffer.from(change(String(value)))]}),
  close: async () => undefined,
})
