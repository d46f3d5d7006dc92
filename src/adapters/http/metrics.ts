/** What is measured (core/measures.ts), from the state of the run and of the process. */
import {type Count, COUNTS, type Derived, DERIVED, type Level, LEVELS} from '../../core/measures.js'
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

const HELP = {...COUNTS, ...LEVELS, ...DERIVED}
type Name = keyof typeof HELP

/** @param isBinder whether the lag is also told under the name that the Kafka binder has for it */
export function metricsOf(run: RunStatus, nowMs: number, isBinder: boolean): Metric[] {
  const own = [
    ...named<Count>(COUNTS, run.counts, 'counter'),
    ...named<Level>(LEVELS, run.levels, 'gauge'),
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

/** What of the table this run has. */
function named<Own extends Count | Level>(
  table: Readonly<Record<Own, string>>,
  values: Readonly<Partial<Record<Own, number>>>,
  kind: Metric['kind'],
): Metric[] {
  return (Object.keys(table) as Own[]).flatMap((name) => {
    const value = values[name]
    return value === undefined ? [] : [single(name, kind, value)]
  })
}

function single(name: Name, kind: Metric['kind'], value: number): Metric {
  return {name, kind, help: HELP[name], samples: [{tags: {}, value}]}
}

function ofInputs(
  name: Derived,
  inputs: readonly InputStatus[],
  measure: (input: InputStatus) => number | null,
): Metric {
  const samples = inputs.flatMap((input) => {
    const value = measure(input)
    return value === null ? [] : [{tags: {group: input.group, topic: input.topic}, value}]
  })
  return {name, kind: 'gauge', help: HELP[name], samples}
}

function partitionMetrics(inputs: readonly InputStatus[]): Metric[] {
  const all = inputs.flatMap(({topic, group, partitions}) =>
    (partitions ?? []).map((one) => ({...one, tags: {group, partition: String(one.partition), topic}})),
  )
  const metric = (name: Derived, measure: (one: (typeof all)[number]) => number): Metric => ({
    name,
    kind: 'gauge',
    help: HELP[name],
    samples: all.map((one) => ({tags: one.tags, value: measure(one)})),
  })
  return [
    metric('partition.position', ({position}) => position),
    metric('partition.safe.offset', ({safeOffset}) => safeOffset),
    metric('partition.end.offset', ({endOffset}) => endOffset),
    metric('partition.lag', ({endOffset, safeOffset}) => Math.max(0, endOffset - safeOffset)),
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
