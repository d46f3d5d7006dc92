/** At most one connection an address, opened when first needed, and anew after it broke. */
import type {Logger} from '../../../core/ports/index.js'
import {DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_FIRST_CONNECTION_MS} from '../settings.js'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {openBrokerConnection} from './broker-connection.js'
import type {BrokerConnection} from './broker-connection.js'
import {addressText} from './failure-causes.js'
import type {FrameMemory} from './frame-memory.js'
import {TransportFailure} from './failures.js'
import {abortable} from './patience.js'

export interface ConnectionCache {
  /** @throws TransportFailure, or the signal's reason */
  to(address: BrokerAddress, signal?: AbortSignal): Promise<BrokerConnection>
  isOpen(address: BrokerAddress): boolean
  /** Closes the connections to all others. */
  retain(addresses: readonly BrokerAddress[]): void
  close(): void
}

interface Slot {
  readonly opening: Promise<BrokerConnection>
  connection: BrokerConnection | null
  /** Gives up an opening that nobody wants any more. */
  readonly abandon: AbortController
}

/** @param frameMemory for large answers, whose readers give it back */
export function createConnectionCache(
  settings: KafkaSettings,
  logger: Logger,
  frameMemory: FrameMemory | null = null,
): ConnectionCache {
  const slots = new Map<string, Slot>()
  let closed = false

  function open(address: BrokerAddress): Slot {
    const key = addressText(address)
    const abandon = new AbortController()
    const slot: Slot = {
      abandon,
      connection: null,
      opening: openBrokerConnection(address, settings, {
        logger,
        frameMemory,
        timeoutMs: attemptMs(settings),
        signal: abandon.signal,
      }),
    }
    slots.set(key, slot)
    slot.opening.then(
      (connection) => {
        slot.connection = connection
        if (abandon.signal.aborted) connection.close()
      },
      () => {
        if (slots.get(key) === slot) slots.delete(key)
      },
    )
    return slot
  }

  function drop(key: string, slot: Slot): void {
    slots.delete(key)
    slot.abandon.abort(new TransportFailure('closed', key, `the connection to ${key} is closed`))
    slot.connection?.close()
  }

  return {
    async to(address, signal) {
      const key = addressText(address)
      signal?.throwIfAborted()
      if (closed) throw new TransportFailure('closed', key, 'the Kafka client is closed')
      const known = slots.get(key)
      const slot = known === undefined || known.connection?.isOpen === false ? open(address) : known
      return abortable(slot.opening, signal)
    },
    isOpen: (address) => slots.get(addressText(address))?.connection?.isOpen === true,
    retain(addresses) {
      const wanted = new Set(addresses.map(addressText))
      for (const [key, slot] of slots) if (!wanted.has(key)) drop(key, slot)
    },
    close() {
      closed = true
      for (const [key, slot] of slots) drop(key, slot)
    },
  }
}

/** So that one broker that swallows packets does not use up the time in which the others could be tried. */
function attemptMs(settings: KafkaSettings): number {
  const connectTimeoutMs = settings.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS
  const {firstConnectionMs = DEFAULT_FIRST_CONNECTION_MS, brokers} = settings
  const shareMs = Math.min(firstConnectionMs, DEFAULT_FIRST_CONNECTION_MS) / brokers.length
  return Math.min(connectTimeoutMs, Math.max(2_000, shareMs))
}
