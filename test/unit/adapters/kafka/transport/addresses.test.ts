import {describe, expect, it} from 'vitest'
import {parseAddress} from '../../../../../src/adapters/kafka/transport/addresses.js'

describe('parseAddress', () => {
  it.each([
    ['broker.example:9093', 'broker.example', 9093],
    ['broker', 'broker', 9092],
    [' 10.0.0.1:1 ', '10.0.0.1', 1],
    ['[::1]:9094', '::1', 9094],
    ['[fe80::1%eth0]', 'fe80::1%eth0', 9092],
    ['PLAINTEXT://kafka:9092', 'kafka', 9092],
    ['SASL_SSL://[2001:db8::2]:443', '2001:db8::2', 443],
  ])('reads %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({host, port})
  })

  it.each([
    '',
    ':9092',
    'host:',
    'host:0',
    'host:65536',
    'host:x',
    'a:b:c',
    '::1',
    'host 9092',
    'http://h/p',
  ])('refuses %j by name', (text) => {
    expect(() => parseAddress(text)).toThrow(`not a broker address: ${JSON.stringify(text)}`)
  })
})
