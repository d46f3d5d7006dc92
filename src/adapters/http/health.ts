/**
 * Health, as Spring Boot tells it, from the true state of the run. Liveness asks only whether the process answers, so
 * that an outage of the brokers restarts nobody; readiness is also whether the brokers answer and nothing is draining.
 */
import type {BrokerStatus, InputStatus, RunStatus} from '../../core/ports/index.js'

export type HealthStatus = 'UP' | 'DOWN' | 'OUT_OF_SERVICE'

export interface Health {
  readonly status: HealthStatus
  readonly components?: Readonly<Record<string, Health>>
  readonly details?: Readonly<Record<string, unknown>>
}

export interface Visibility {
  readonly components: boolean
  readonly details: boolean
  readonly probes: boolean
}

const WORST_FIRST: readonly HealthStatus[] = ['DOWN', 'OUT_OF_SERVICE', 'UP']
const UP: Health = {status: 'UP'}
const PROBE_COMPONENTS = new Set(['livenessState', 'readinessState'])

export const httpStatusOf = (status: HealthStatus) => (status === 'UP' ? 200 : 503)

export function readiness(run: RunStatus): HealthStatus {
  if (run.phase !== 'running') return 'OUT_OF_SERVICE'
  return isDown(run) ? 'DOWN' : 'UP'
}

const isDown = ({broker, storage}: RunStatus) => broker.reachable === false || storage?.reachable === false

/** @param path below `health`, e.g. `liveness`, `binders/kafka`; null when there is nothing of that name to be seen */
export function healthAt(path: readonly string[], run: RunStatus, shown: Visibility): object | null {
  const all = components(run)
  const [name, ...inner] = path
  if (name === undefined) return whole(all, run, shown)
  if (shown.probes && inner.length === 0) {
    if (name === 'liveness') return UP
    if (name === 'readiness') return {status: readiness(run)}
  }
  if (!shown.components) return null
  let health = Object.hasOwn(all, name) ? all[name] : undefined
  for (const part of inner)
    health = Object.hasOwn(health?.components ?? {}, part) ? health?.components?.[part] : undefined
  return health === undefined ? null : visible(health, shown)
}

function whole(all: Readonly<Record<string, Health>>, run: RunStatus, shown: Visibility): object {
  const status = worst([...Object.values(all).map((health) => health.status), readiness(run)])
  const groups = shown.probes ? {groups: ['liveness', 'readiness']} : {}
  if (!shown.components) return {status, ...groups}
  const told = Object.entries(all)
    .filter(([name]) => shown.probes || !PROBE_COMPONENTS.has(name))
    .map(([name, health]) => [name, visible(health, shown)])
  return {status, ...groups, components: Object.fromEntries(told) as object}
}

function visible({status, components: inner, details}: Health, shown: Visibility): object {
  return {
    status,
    ...(inner === undefined
      ? {}
      : {
          components: Object.fromEntries(
            Object.entries(inner).map(([name, one]) => [name, visible(one, shown)]),
          ),
        }),
    ...(details === undefined || !shown.details ? {} : {details}),
  }
}

function components(run: RunStatus): Readonly<Record<string, Health>> {
  const kafka: Health = {status: run.broker.reachable === false ? 'DOWN' : 'UP', details: kafkaDetails(run)}
  return {
    binders: {status: kafka.status, components: {kafka}},
    livenessState: UP,
    ping: UP,
    readinessState: {status: run.phase === 'running' ? 'UP' : 'OUT_OF_SERVICE'},
    ...(run.storage === undefined ? {} : {storage: storageHealth(run.storage)}),
  }
}

function kafkaDetails({broker, inputs, outputs}: RunStatus): Record<string, unknown> {
  return {
    topicsInUse: [...inputs.map(({topic}) => topic), ...outputs.map(({name}) => name)],
    listenerContainers: inputs.map(listenerContainer),
    ...(broker.reason === null ? {} : {error: broker.reason}),
  }
}

function listenerContainer({topic, group, state, partitions}: InputStatus) {
  return {
    isPaused: state === 'paused',
    listenerId: `KafkaConsumerDestination{consumerDestinationName='${topic}', partitions=${partitions?.length ?? 0}, dlqName='null'}.container`,
    isRunning: state !== 'stopped',
    groupId: group,
    isStoppedAbnormally: false,
  }
}

const storageHealth = ({reachable, reason}: BrokerStatus): Health => ({
  status: reachable === false ? 'DOWN' : 'UP',
  details: reason === null ? {} : {error: reason},
})

const worst = (statuses: readonly HealthStatus[]): HealthStatus =>
  WORST_FIRST.find((status) => statuses.includes(status)) ?? 'UP'
