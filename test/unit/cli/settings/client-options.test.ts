import {describe, expect, it} from 'vitest'
import {
  clientOptionTable,
  isConnectionOption,
  mapClientOption,
} from '../../../../src/cli/settings/client-options.js'
import {CATALOG} from '../../../../src/cli/settings/catalog.js'

const mapped = (key: string, value: string) =>
  Object.fromEntries(mapClientOption(key, value).map(({name, value}) => [name, value]))

describe('client options', () => {
  it.each([
    ['bootstrap.servers', 'a:1,b:2', {brokers: 'a:1,b:2'}],
    ['metadata.broker.list', 'a:1', {brokers: 'a:1'}],
    ['security.protocol', 'SASL_SSL', {tls: 'true'}],
    ['security.protocol', 'sasl_plaintext', {tls: 'false'}],
    ['sasl.mechanisms', 'SCRAM-SHA-512', {saslMechanism: 'SCRAM-SHA-512'}],
    ['ssl.ca.location', '/ca.pem', {tlsCa: '/ca.pem'}],
    ['ssl.endpoint.identification.algorithm', 'none', {tlsVerify: 'ca'}],
    ['enable.ssl.certificate.verification', 'false', {tlsVerify: 'none'}],
    ['enable.ssl.certificate.verification', 'true', {}],
    ['group.instance.id', 'host-1', {instanceId: 'host-1'}],
    ['session.timeout.ms', '30000', {sessionTimeout: '30000ms'}],
    ['auto.offset.reset', 'earliest', {}],
    ['enable.auto.commit', 'false', {}],
    ['acks', '-1', {}],
    [
      'sasl.jaas.config',
      'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="it\\"s";',
      {saslUsername: 'me', saslPassword: 'it"s'},
    ],
  ])('%s=%s', (key, value, expected) => expect(mapped(key, value)).toEqual(expected))

  it.each([
    ['enable.auto.commit', 'true', 'commits by itself'],
    ['auto.offset.reset', 'latest', 'no file is missed'],
    ['isolation.level', 'read_uncommitted', 'aborted'],
    ['acks', '1', 'in-sync replicas'],
    ['ssl.truststore.location', '/x.jks', 'PEM'],
    ['sasl.kerberos.keytab', '/x', 'scram-sha-256'],
    ['security.protocol', 'sekret', 'no equivalent'],
    ['sasl.jaas.config', 'com.example.Login required password="sekret";', 'no equivalent'],
    ['linger.ms', '5', 'batches by itself'],
  ])('%s=%s is refused by name, with the reason', (key, value, reason) => {
    const attempt = () => mapClientOption(key, value)
    expect(attempt).toThrow(key)
    expect(attempt).toThrow(reason)
    expect(attempt).not.toThrow('sekret')
  })

  it('that are unknown are refused with the nearest that is known', () => {
    expect(() => mapClientOption('bootstrap.server', 'a')).toThrow(
      expect.objectContaining({
        code: 'CLIENT_OPTION_UNSUPPORTED',
        suggestions: expect.arrayContaining(['Did you mean bootstrap.servers?']) as string[],
      }),
    )
    expect(() => mapClientOption('hunter2!', 'a')).not.toThrow('hunter2')
  })

  it('stand for settings that there are', () => {
    const names = new Set(Object.values(CATALOG).flatMap((settings) => Object.keys(settings)))
    for (const {option} of clientOptionTable())
      for (const value of ['1', 'none', 'ssl', 'false'])
        try {
          for (const {name} of mapClientOption(option, value)) expect(names).toContain(name)
        } catch (error) {
          expect(error).toHaveProperty('code', 'CLIENT_OPTION_UNSUPPORTED')
        }
  })

  it('that are about the connection are known, refused ones included', () => {
    for (const key of ['bootstrap.servers', 'sasl.password', 'ssl.ca.location', 'ssl.truststore.location'])
      expect(isConnectionOption(key)).toBe(true)
    for (const key of ['group.id', 'auto.offset.reset', 'compression.type', 'socket.nagle.disable'])
      expect(isConnectionOption(key)).toBe(false)
  })
})
