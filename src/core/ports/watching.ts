/** Serving what a running command shows of itself (running.ts) to probes, scrapers and operators. */
import type {RunControl} from './running.js'

export interface Listener {
  readonly address: string
  /** 0 is any free one. */
  readonly port: number
}

/** As Spring Boot names its endpoints. */
export const WATCH_ENDPOINTS = ['bindings', 'health', 'info', 'metrics', 'prometheus', 'shutdown'] as const
export type WatchEndpoint = (typeof WATCH_ENDPOINTS)[number]

export interface WatchOptions {
  /** The application's own; has the endpoints too, unless management has a listener of its own. */
  readonly server: Listener | null
  readonly management: Listener | null
  /** Before each path, such as `/actuator`; empty for none. No slash at its end. */
  readonly basePath: string
  /** Endpoints that answer at all, by the name they have in paths. */
  readonly endpoints: ReadonlyMap<WatchEndpoint, string>
  /** Endpoints that may be asked and not told: POST is refused. */
  readonly readOnly: ReadonlySet<WatchEndpoint>
  readonly health: {
    /** Whether components, and what they are made of, are told. */
    readonly components: boolean
    readonly details: boolean
    /** Whether there are the groups liveness and readiness. */
    readonly probes: boolean
  }
  /** Whether the lag is also told under the name that Spring Cloud Stream's Kafka binder has for it. */
  readonly isBinder: boolean
  /** The answer of `info`. */
  readonly info: Readonly<Record<string, unknown>>
  /** On every metric, by dotted name: `stream.name`. */
  readonly tags: Readonly<Record<string, string>>
}

export interface WatchServer {
  /** `http://127.0.0.1:8080` each, with the ports that were really taken. */
  readonly urls: readonly string[]
  /** At most a second: what still waits for its answer is cut off. */
  close(): Promise<void>
}

/** @throws PORT_UNUSABLE */
export type StartWatching = (options: WatchOptions, control: RunControl) => Promise<WatchServer>
