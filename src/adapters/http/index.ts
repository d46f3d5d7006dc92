/**
 * Probes, metrics and bindings over HTTP, in the words of Spring Boot's actuator: paths, bodies, content types and status
 * codes are those of a real Spring Cloud Stream application (test/unit/adapters/http/ has them), each answer made from the
 * state of the run at that moment.
 *
 *     request -> listener.ts (limits) -> router.ts -> health.ts | bindings.ts | metrics.ts -> exposition.ts, metric-details.ts
 *
 * - /livez, /readyz, /health, /info and /metrics (Prometheus) are there without a base path, for everybody else.
 * - Liveness depends on nothing but the process; readiness on the brokers, the storage and on not being about to stop.
 */
import type {StartWatching, WatchOptions, WatchServer} from '../../core/ports/index.js'
import {listen, type Listening} from './listener.js'
import {createRouter} from './router.js'

export const startWatching: StartWatching = async (options, control): Promise<WatchServer> => {
  const listening: Listening[] = []
  const close = async () => {
    await Promise.all(listening.map((one) => one.close()))
  }
  try {
    for (const [listener, what] of listenersOf(options))
      listening.push(await listen(listener, createRouter(what, control)))
  } catch (error) {
    await close()
    throw error
  }
  return {urls: listening.map(({url}) => url), close}
}

/** With a port for management, the other one has the probes alone. */
function listenersOf(options: WatchOptions) {
  const {server, management} = options
  const bare: WatchOptions = {...options, endpoints: new Map()}
  return [
    ...(server === null ? [] : [[server, management === null ? options : bare] as const]),
    ...(management === null ? [] : [[management, options] as const]),
  ]
}
