import {describe, expect, it} from 'vitest'
import {translateFailure} from '../../../../src/adapters/kafka/errors.js'
import {ProtocolFailure, TransportFailure} from '../../../../src/adapters/kafka/transport/failures.js'
import type {TransportFailureKind} from '../../../../src/adapters/kafka/transport/failures.js'
import {errorOfCode} from '../../../../src/adapters/kafka/transport/kafkajs-internals.js'
import {StreamtoolError} from '../../../../src/core/errors.js'

const context = {addresses: 'a:9092, b:9092', topic: 'files', partition: 3}
const translated = (error: unknown, about: Parameters<typeof translateFailure>[1] = context) =>
  translateFailure(error, about) as StreamtoolError

describe('what the broker answered', () => {
  it.each([
    [3, 'TOPIC_UNKNOWN', 'the topic does not exist'],
    [17, 'TOPIC_UNKNOWN', 'this cannot be the name of a topic'],
    [29, 'NOT_AUTHORISED', 'TOPIC_AUTHORIZATION_FAILED'],
    [30, 'NOT_AUTHORISED', 'GROUP_AUTHORIZATION_FAILED'],
    [31, 'NOT_AUTHORISED', 'CLUSTER_AUTHORIZATION_FAILED'],
    [58, 'AUTHENTICATION_FAILED', 'SASL_AUTHENTICATION_FAILED'],
    [34, 'AUTHENTICATION_FAILED', 'ILLEGAL_SASL_STATE'],
    [10, 'MESSAGE_TOO_LARGE', 'MESSAGE_TOO_LARGE'],
    [18, 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'],
    [76, 'CODEC_UNKNOWN', 'UNSUPPORTED_COMPRESSION_TYPE'],
    [82, 'GROUP_FENCED', 'FENCED_INSTANCE_ID'],
    [22, 'GROUP_STALE', 'ILLEGAL_GENERATION'],
    [25, 'GROUP_STALE', 'UNKNOWN_MEMBER_ID'],
    [27, 'GROUP_STALE', 'REBALANCE_IN_PROGRESS'],
    [23, 'GROUP_INCOMPATIBLE', 'INCONSISTENT_GROUP_PROTOCOL'],
    [87, 'BROKER_REFUSED', 'INVALID_RECORD'],
    [9999, 'BROKER_REFUSED', 'ERROR_9999'],
  ])('code %d is %s', (code, expected, words) => {
    const failure = new ProtocolFailure(errorOfCode(code))
    const error = translated(failure)
    expect(error).toMatchObject({code: expected, facts: {topic: 'files', partition: 3, kafkaErrorCode: code}})
    expect(error.message).toMatch(/^topic files, partition 3: /)
    expect(error.message).toContain(words)
    expect(error.cause).toBe(failure)
  })

  it('names the group when that is what it was about', () => {
    const error = translated(new ProtocolFailure(errorOfCode(30)), {addresses: 'a:9092', groupId: 'g'})
    expect(error.message).toMatch(/^group g: /)
    expect(error.facts).toMatchObject({groupId: 'g', kafkaError: 'GROUP_AUTHORIZATION_FAILED'})
  })

  it('says what is known beyond the code', () => {
    const failure = new ProtocolFailure(errorOfCode(3), {detail: 'the topic has 2 partitions'})
    expect(translated(failure).message).toBe('topic files, partition 3: the topic has 2 partitions')
  })
})

describe('what became of the connection', () => {
  const failed = (kind: TransportFailureKind, address = 'a:9092', cause?: unknown) =>
    translated(new TransportFailure(kind, address, 'what happened', cause))

  it.each<[TransportFailureKind, string]>([
    ['unreachable', 'BROKER_UNREACHABLE'],
    ['lost', 'BROKER_UNREACHABLE'],
    ['timeout', 'BROKER_UNREACHABLE'],
    ['closed', 'BROKER_UNREACHABLE'],
    ['garbled', 'BROKER_UNREACHABLE'],
    ['unsupported', 'BROKER_REFUSED'],
    ['tls', 'TLS_FAILED'],
    ['authentication', 'AUTHENTICATION_FAILED'],
  ])('%s is %s', (kind, code) => {
    const error = failed(kind)
    expect(error.code).toBe(code)
    expect(error.message).toContain('what happened')
    expect(error.facts).toMatchObject({brokers: 'a:9092, b:9092', address: 'a:9092'})
  })

  it('names the addresses that were tried, and what to do', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), {code: 'ECONNREFUSED'})
    const error = failed('unreachable', 'a:9092, b:9092', refused)
    expect(error.message).toBe('cannot reach Kafka at a:9092, b:9092: what happened')
    expect(error.suggestions).toEqual([
      'check that a Kafka broker listens there and that no firewall is between',
      'for trying out: streamtool sandbox',
    ])
  })

  it('thinks of TLS and SASL when the broker hung up', () => {
    expect(failed('lost').suggestions.join()).toContain('may want TLS, or SASL')
  })

  it('explains advertised listeners when the cluster names brokers that the user did not', () => {
    expect(failed('unreachable', 'kafka-internal:9092').suggestions.join()).toContain('advertised.listeners')
  })

  it('knows a broker that wants TLS', () => {
    const error = translated(new TransportFailure('garbled', 'a:9092', 'a:9092 answers in TLS, and …'))
    expect(error).toMatchObject({code: 'TLS_FAILED', suggestions: ['switch TLS on for this broker']})
  })
})

it.each([
  ['an error of the family', new StreamtoolError('CODEC_UNKNOWN', 'x')],
  ['the reason of an abort', new Error('enough')],
  ['anything else', 'a string'],
])('leaves %s as it is', (_, error) => {
  expect(translateFailure(error, context)).toBe(error)
})
