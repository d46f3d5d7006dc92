/** Opens the socket to a broker, plain or in TLS. */
import type {Buffer} from 'node:buffer'
import net from 'node:net'
import type {Socket} from 'node:net'
import tls from 'node:tls'
import type {BrokerAddress, KafkaSettings} from '../settings.js'
import {addressText} from './failure-causes.js'
import {TransportFailure} from './failures.js'

const KEEP_ALIVE_MS = 60_000

/**
 * Undefined for plain text. Certificates and keys are read here, so that one that cannot be used is told as such
 * and not as a connection that failed.
 * @throws TransportFailure
 */
export function tlsOptionsOf(
  address: BrokerAddress,
  ssl: KafkaSettings['ssl'],
): tls.ConnectionOptions | undefined {
  if (ssl === undefined || ssl === false) return undefined
  const settings = ssl === true ? {} : ssl
  try {
    return {
      ...(net.isIP(address.host) === 0 ? {servername: address.host} : {}),
      ...settings,
      secureContext: tls.createSecureContext(settings),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TransportFailure(
      'tls',
      addressText(address),
      `the TLS settings cannot be used: ${reason}`,
      error,
    )
  }
}

/** Where a socket puts what it receives, instead of emitting it in buffers of its own. */
export interface Reading {
  /** Asked before each read. */
  readonly buffer: () => Buffer
  readonly received: (byteLength: number) => void
}

export function dial(
  address: BrokerAddress,
  tlsOptions: tls.ConnectionOptions | undefined,
  {onConnect, reading}: {readonly onConnect: () => void; readonly reading: Reading},
): Socket {
  const callback = (byteLength: number) => {
    reading.received(byteLength)
    return true
  }
  const peer = {...address, onread: {buffer: reading.buffer, callback}}
  const socket =
    tlsOptions === undefined ? net.connect(peer, onConnect) : tls.connect({...tlsOptions, ...peer}, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  return socket
}
