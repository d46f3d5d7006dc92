/**
 * SSE-C: the store encrypts with a key that comes with each request, and forgets it. Whoever reads an object needs the
 * same key. A store that does not know of it would write the object as it is, without a word: so its answer has to say
 * that it encrypted.
 */
import {createHash} from 'node:crypto'
import {StreamtoolError} from '../../core/errors.js'

export interface CustomerKeyFields {
  readonly SSECustomerAlgorithm?: 'AES256'
  /** In base64; the SDK adds the MD5 by which the store knows it again. */
  readonly SSECustomerKey?: string
}

export function customerKeyFields(key: Buffer | undefined): CustomerKeyFields {
  return key === undefined ? {} : {SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64')}
}

export const usesCustomerKey = ({SSECustomerKey}: CustomerKeyFields): boolean => SSECustomerKey !== undefined

/** Goes into files of our own: a hash of 256 random bits says nothing of them. */
export function customerKeyId({SSECustomerKey: key}: CustomerKeyFields): string | null {
  return key === undefined ? null : createHash('sha256').update(key).digest('base64url')
}

/** It took an object, and did not encrypt it. */
export class CustomerKeyIgnored extends StreamtoolError {
  constructor() {
    super(
      'STORE_FORBIDDEN',
      'The store does not encrypt with a key that it is given (SSE-C): it took an object, and ignored the key.',
      {suggestions: ['Leave out --sse-c-key-file, or use a store that knows SSE-C.']},
    )
  }
}

/** @throws {CustomerKeyIgnored} */
export function requireEncrypted(
  {SSECustomerAlgorithm}: {readonly SSECustomerAlgorithm?: string | undefined},
  asked: CustomerKeyFields,
): void {
  if (!usesCustomerKey(asked) || SSECustomerAlgorithm === asked.SSECustomerAlgorithm) return
  throw new CustomerKeyIgnored()
}

/** The key goes over the wire with every request. @throws SETTING_INVALID */
export function requirePrivate(endpoint: string | null): void {
  if (endpoint === null) return
  const {protocol, hostname} = new URL(endpoint)
  if (protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return
  throw new StreamtoolError(
    'SETTING_INVALID',
    `${endpoint} would get the key of --sse-c-key-file unencrypted.`,
    {
      suggestions: ['Use an endpoint that begins with https.'],
    },
  )
}
