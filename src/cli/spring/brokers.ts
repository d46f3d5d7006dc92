/** `PLAINTEXT://kafka-broker,[::1]:9093` -> `kafka-broker:9092`, `[::1]:9093` */

export interface BrokerList {
  readonly brokers: readonly string[]
  /** A scheme of them says so. */
  readonly tls: boolean
}

const SCHEME = /^([a-z][a-z0-9_+.-]*):\/\//i

/** @param defaultPort `spring.cloud.stream.kafka.binder.defaultBrokerPort` */
export function brokerList(written: string, defaultPort: string): BrokerList {
  const items = written.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]))
  const schemes = items.map((item) => SCHEME.exec(item)?.[1]?.toUpperCase())
  const encrypted = schemes.some((scheme) => scheme === 'SSL' || scheme === 'SASL_SSL')
  return {
    brokers: items.map((item) => {
      const address = item.replace(SCHEME, '').replace(/\/+$/, '')
      return /^(\[[^\]]*\]|[^:]*)$/.test(address) ? `${address}:${defaultPort}` : address
    }),
    tls: encrypted,
  }
}
