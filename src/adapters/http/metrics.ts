/** What is measured, from the state of the run and of the process. docs/operations.md has the table. */
import type {InputStatus, RunStatus} from '../../core/ports/index.js'
import {readiness} from './health.js'

export interface Metric {
  /** As Micrometer names them: `streamtool.records.read`. */
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly tags: Readonly<Record<string, string>>
  readonly value: number
}

/** By name, without the prefix `streamtool.`; a count or level that is not here has no help, and is shown all the same. */
export const HELP: Readonly<Record<string, string>> = {
  'records.read': 'Records that were read and are done',
  'records.written': 'Records that the output has acknowledged',
  'records.failed': 'Records whose last attempt failed',
  'records.dead.lettered': 'Records that went to the dead-letter topic',
  'records.poison': 'Records that are no chunks of files',
  'files.delivered': 'Files that are at their destination',
  'files.failed': 'Files that cannot be delivered',
  'files.held': 'Times that a file could not be delivered and is kept for later',
  'files.superseded': 'Files in whose place a newer content of their path was delivered',
  'files.parked': 'Files that were given up for want of chunks',
  'files.skipped': 'Files that were not to be delivered, or were there already',
  'files.incomplete': 'Files that were found to lack chunks',
  'files.uploaded': 'Files whose chunks are all acknowledged',
  'bytes.uploaded': 'Bytes of the files whose chunks are all acknowledged',
  'bytes.moved': 'Bytes that were read of files, or handed to their destination, whole or not',
  commits: 'Commits of offsets',
  'bytes.delivered': 'Bytes of the files that are at their destination',
  warnings: 'Warnings, of whatever kind',
  'in.flight.records': 'Records that are read and not done',
  'in.flight.bytes': 'Bytes that are read and not acknowledged by the output',
  'files.open': 'Files that are begun and not concluded',
  'oldest.open.file.seconds': 'How long the file that has been open for longest has been so',
  'commit.age.seconds': 'Time since the last commit of offsets',
  'partition.position': 'The next offset to be read',
  'partition.safe.offset': 'Everything below this offset is done',
  'partition.end.offset': 'The end of the partition when it was last heard of',
  'partition.lag': 'Offsets between the safe offset and the end',
  'partitions.assigned': 'Partitions of the topic that this process has',
  'poll.age.seconds': 'Time since records, or the news that there are none, came last',
  'kafka.reachable': '1 while the brokers answer, 0 in an outage',
  ready: '1 when ready, as the readiness probe has it',
}

/** @param isBinder whether the lag is also told under the name that the Kafka binder has for it */
export function metricsOf(run: RunStatus, nowMs: number, isBinder: boolean): Metric[] {
  const own = [
    ...Object.entries(run.counts).map(([name, value]) => single(dotted(name), 'counter', value)),
    ...Object.entries(run.levels).map(([name, value]) => single(dotted(name), 'gauge', value)),
    ...partitionMetrics(run.inputs),
    ofInputs('partitions.assigned', run.inputs, ({partitions}) => partitions?.length ?? 0),
    ofInputs('poll.age.seconds', run.inputs, ({lastPollMs}) =>
      lastPollMs === null ? null : Math.max(0, nowMs - lastPollMs) / 1000,
    ),
    single('ready', 'gauge', readiness(run) === 'UP' ? 1 : 0),
    ...(run.broker.reachable === null
      ? []
      : [single('kafka.reachable', 'gauge', Number(run.broker.reachable))]),
  ]
  const prefixed = own.map((metric) => ({...metric, name: `streamtool.${metric.name}`}))
  const all = [
    ...prefixed,
    ...(isBinder ? [binderLag(run.inputs)] : []),
    ...processMetrics(run.startedMs, nowMs),
  ]
  return all.filter(({samples}) => samples.length > 0).sort((a, b) => (a.name < b.name ? -1 : 1))
}

const dotted = (name: string) => name.replaceAll('_', '.')

function single(name: string, kind: Metric['kind'], value: number): Metric {
  return {name, kind, help: HELP[name] ?? name, samples: [{tags: {}, value}]}
}

function ofInputs(
  name: string,
  inputs: readonly InputStatus[],
  measure: (input: InputStatus) => number | null,
): Metric {
  const samples = inputs.flatMap((input) => {
    const value = measure(input)
    return value === null ? [] : [{tags: {group: input.group, topic: input.topic}, value}]
  })
  return {name, kind: 'gauge', help: HELP[name] ?? name, samples}
}

function partitionMetrics(inputs: readonly InputStatus[]): Metric[] {
  const all = inputs.flatMap(({topic, group, partitions}) =>
    (partitions ?? []).map((one) => ({...one, tags: {group, partition: String(one.partition), topic}})),
  )
  const metric = (name: string, measure: (one: (typeof all)[number]) => number): Metric => ({
    name: `partition.${name}`,
    kind: 'gauge',
    help: HELP[`partition.${name}`] ?? name,
    samples: all.map((one) => ({tags: one.tags, value: measure(one)})),
  })
  return [
    metric('position', ({position}) => position),
    metric('safe.offset', ({safeOffset}) => safeOffset),
    metric('end.offset', ({endOffset}) => endOffset),
    metric('lag', ({endOffset, safeOffset}) => Math.max(0, endOffset - safeOffset)),
  ]
}

/** Spring Cloud Stream's own gauge, which dashboards are made for. */
function binderLag(inputs: readonly InputStatus[]): Metric {
  const samples = inputs.flatMap(({topic, group, partitions}) => {
    if (partitions === null) return []
    const lag = partitions.reduce(
      (sum, {endOffset, safeOffset}) => sum + Math.max(0, endOffset - safeOffset),
      0,
    )
    return [{tags: {topic, group}, value: lag}]
  })
  return {
    name: 'spring.cloud.stream.binder.kafka.offset',
    kind: 'gauge',
    help: 'Unconsumed messages for a particular group and topic',
    samples,
  }
}

function processMetrics(startedMs: number, nowMs: number): Metric[] {
  const {user, system} = process.cpuUsage()
  const gauge = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    kind: 'gauge',
    samples: [{tags: {}, value}],
  })
  return [
    {
      name: 'process.cpu.seconds',
      help: 'CPU time of the process',
      kind: 'counter',
      samples: [{tags: {}, value: (user + system) / 1e6}],
    },
    gauge('process.resident.memory.bytes', 'Memory of the process', process.memoryUsage.rss()),
    gauge('process.start.time.seconds', 'When the run began, in seconds since 1970', startedMs / 1000),
    gauge(
      'process.uptime',
      'How long it has been running, in seconds',
      Math.max(0, nowMs - startedMs) / 1000,
    ),
  ]
}
