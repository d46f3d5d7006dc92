import {describe, expect, it} from 'vitest'
import {
  customerKeyFields,
  requireEncrypted,
  requirePrivate,
} from '../../../../src/adapters/s3/customer-key.js'

const fields = customerKeyFields(Buffer.alloc(32, 7))

describe('a key of the user (SSE-C)', () => {
  it('is an error where the store does not say that it encrypted', () => {
    requireEncrypted({SSECustomerAlgorithm: 'AES256'}, fields)
    requireEncrypted({}, customerKeyFields(undefined))
    expect(() => requireEncrypted({}, fields)).toThrow('ignored the key')
  })

  it('is not sent in the open, but on this machine', () => {
    for (const endpoint of [null, 'https://s3.example.org', 'http://127.0.0.1:9000', 'http://localhost:1'])
      requirePrivate(endpoint)
    for (const endpoint of ['http://s3.example.org', 'http://10.0.0.1', 'http://127.example.org'])
      expect(() => requirePrivate(endpoint), endpoint).toThrow('unencrypted')
  })
})
