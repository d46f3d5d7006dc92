/** `--metrics-port`: probes and metrics of a command, for as long as it runs. */
import type {Logger, RunControl, RunStatus, WatchOptions, WatchServer} from '../core/ports/index.js'
import type {KafkaClient} from './compose.js'
import {RunWatch} from './run-watch.js'
import type {httpSettings} from './settings/groups/http.js'
import type {Values} from './settings/setting.js'
import type {SpringFacts} from './spring/index.js'
import type {Stopping} from './signals.js'

/** A command without one topic, and without these settings, is watched all the same where it can be. */
export type WatchValues = Partial<Values<typeof httpSettings>> & {readonly topic?: string | undefined}

export interface Watching {
  readonly run: RunWatch
  close(): Promise<void>
}

export interface Watched {
  readonly kafka: KafkaClient
  readonly stopping: Stopping
  readonly logger: Logger
}

/**
 * @returns null when nobody asked for it
 * @throws PORT_UNUSABLE
 */
export async function openWatching(
  values: WatchValues,
  {kafka, stopping, logger}: Watched,
): Promise<Watching | null> {
  if (values.metricsPort === undefined) return null
  const [{clock}, {BrokerWatch}, {dataFlowTags}] = await Promise.all([
    import('./compose.js'),
    import('../pipelines/running/broker-watch.js'),
    import('./spring/index.js'),
  ])
  const topics = values.topic === undefined ? [] : [values.topic]
  const brokers = new BrokerWatch({admin: kafka.admin(), topics, clock})
  const run = new RunWatch({
    nowMs: () => clock.nowMs(),
    broker: () => brokers.status,
    signal: stopping.signal,
    stop: (reason) => stopping.stop(reason),
  })
  const over = new AbortController()
  const server = await serveControl(plainWatchOptions(values, dataFlowTags(process.env)), run, logger)
  const checking = brokers.run(over.signal)
  return {
    run,
    async close() {
      run.ended()
      over.abort()
      await checking
      await server.close()
    },
  }
}

/** @throws PORT_UNUSABLE */
async function serveControl(
  options: WatchOptions,
  control: RunControl,
  logger: Logger,
): Promise<WatchServer> {
  const {startWatching} = await import('./compose.js')
  const server = await startWatching(options, control)
  logger.info(`Probes and metrics: ${server.urls.join(' and ')}`)
  return server
}

/**
 * What `passthrough` serves: as Spring's properties have it, on the port of --metrics-port if that was given.
 * @returns null when nobody asked for it
 * @throws PORT_UNUSABLE
 */
export async function openPassthroughWatching(
  values: WatchValues,
  spring: SpringFacts | null,
  control: RunControl,
  logger: Logger,
): Promise<WatchServer | null> {
  const options = await passthroughWatchOptions(values, spring)
  if (options === null) return null
  return serveControl(options, spring === null ? control : withBindingNames(control, spring), logger)
}

async function passthroughWatchOptions(
  values: WatchValues,
  spring: SpringFacts | null,
): Promise<WatchOptions | null> {
  if (values.metricsPort === undefined) return spring?.watch ?? null
  if (spring?.watch) return {...spring.watch, server: plainListener(values), management: null}
  const {dataFlowTags} = await import('./spring/index.js')
  return plainWatchOptions(values, dataFlowTags(process.env))
}

/** Probes are answered from the start on, and before there is anything to ask: not ready yet. */
export function lateControl(
  {
    inputs,
    output,
    group,
  }: {readonly inputs: readonly string[]; readonly output: string; readonly group: string},
  stop: (reason: string) => void,
): RunControl & {readonly is: (control: RunControl) => void} {
  let real: RunControl | null = null
  const startedMs = Date.now()
  const nothingYet: RunStatus = {
    phase: 'starting',
    startedMs,
    broker: {reachable: null, checkedMs: null, reason: null},
    inputs: inputs.map((topic) => ({
      binding: 'input',
      topic,
      group,
      state: 'running',
      lastPollMs: null,
      partitions: null,
    })),
    outputs: [{binding: 'output', name: output, state: 'running'}],
    counts: {},
    levels: {},
  }
  return {
    is: (control) => (real = control),
    status: () => real?.status() ?? nothingYet,
    pause: async (binding) => real?.pause(binding),
    resume: async (binding) => real?.resume(binding),
    stop: async (binding) => real?.stop(binding),
    start: async (binding) => real?.start(binding),
    shutdown: stop,
  }
}

/** With the names that the bindings have in the user's properties. */
function withBindingNames(control: RunControl, {bindings}: Pick<SpringFacts, 'bindings'>): RunControl {
  const shown = new Map([
    ['input', bindings.input],
    ['output', bindings.output],
  ])
  const real = new Map([...shown].map(([ours, theirs]) => [theirs, ours]))
  const named = <B extends {readonly binding: string}>(one: B): B => ({
    ...one,
    binding: shown.get(one.binding) ?? one.binding,
  })
  const realName = (name: string) => real.get(name) ?? ''
  return {
    status() {
      const status = control.status()
      return {...status, inputs: status.inputs.map(named), outputs: status.outputs.map(named)}
    },
    pause: (name) => control.pause(realName(name)),
    resume: (name) => control.resume(realName(name)),
    stop: (name) => control.stop(realName(name)),
    start: (name) => control.start(realName(name)),
    shutdown: (reason) => control.shutdown(reason),
  }
}

const plainListener = ({metricsPort = 0, metricsAddress = '127.0.0.1'}: WatchValues) => ({
  address: metricsAddress,
  port: metricsPort,
})

/** Nothing here can be changed over HTTP; what can be seen is seen in full. */
function plainWatchOptions(values: WatchValues, tags: Readonly<Record<string, string>>): WatchOptions {
  const endpoints = ['health', 'info', 'metrics', 'prometheus'] as const
  return {
    server: plainListener(values),
    management: null,
    basePath: '/actuator',
    endpoints: new Map(endpoints.map((id) => [id, id])),
    readOnly: new Set(),
    health: {components: true, details: true, probes: true},
    isBinder: false,
    info: {},
    tags,
  }
}
