import {StreamtoolError} from '../../../core/errors.js'
import type {BrokerAddress} from '../settings.js'

const DEFAULT_PORT = 9092
const BRACKETED = /^\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\](?::(\d+))?$/
const PLAIN = /^([^:\s/[\]]+)(?::(\d+))?$/

/**
 * `host:port`, `host` (port 9092) or `[ipv6]:port`; a listener name before it, as in `PLAINTEXT://host:port`, is
 * what brokers are configured with and is taken off.
 * @throws SETTING_INVALID
 */
export function parseAddress(text: string): BrokerAddress {
  const bare = text.trim().replace(/^[A-Za-z0-9_]+:\/\//, '')
  const match = BRACKETED.exec(bare) ?? PLAIN.exec(bare)
  const host = match?.[1]
  const port = match?.[2] === undefined ? DEFAULT_PORT : Number(match[2])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new StreamtoolError('SETTING_INVALID', `not a broker address: ${JSON.stringify(text)}`, {
      suggestions: ['write brokers as host:port, several separated by commas'],
    })
  }
  return {host, port}
}
