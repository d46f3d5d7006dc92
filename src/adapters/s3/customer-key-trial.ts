/**
 * Whether the store takes a key of the user (SSE-C) is found out before any file is sent: some do not know of it, some
 * ignore it, and AWS refuses it in buckets made since April 2026 until their owner allows it.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {BucketClient} from './bucket-client.js'
import {probeBody, probeKey} from './capabilities.js'
import {CustomerKeyIgnored} from './customer-key.js'
import type {CallOptions} from './store-calls.js'
import {ObjectRefused} from './store-errors.js'

/** Does nothing without such a key. @throws STORE_FORBIDDEN, and what the store answers to anything */
export async function tryCustomerKey(
  client: BucketClient,
  prefix: string,
  options: CallOptions,
): Promise<void> {
  if (client.customerKeyId === null) return
  const key = probeKey(prefix)
  const body = probeBody(client.checksums.name)
  try {
    await client.put(key, body, 'absent', {}, options).catch((thrown: unknown) => {
      if (!(thrown instanceof ObjectRefused)) throw thrown
      // It may be there, or the store may know no conditions: only an object that was written shows anything.
      return client.put(key, body, null, {}, options)
    })
  } catch (thrown) {
    throw isOfTheKey(thrown) ? keyRefused(thrown) : thrown
  } finally {
    await client.remove(key, options).catch((thrown: unknown) => {
      if (!(thrown instanceof StreamtoolError)) throw thrown
    })
  }
}

function isOfTheKey(thrown: unknown): thrown is StreamtoolError {
  if (!(thrown instanceof StreamtoolError) || thrown instanceof CustomerKeyIgnored) return false
  return thrown instanceof ObjectRefused || thrown.code === 'STORE_FORBIDDEN'
}

function keyRefused(refusal: StreamtoolError): StreamtoolError {
  return new StreamtoolError(
    'STORE_FORBIDDEN',
    `The store takes no object with a key that it is given (SSE-C). ${refusal.message}`,
    {
      facts: refusal.facts,
      suggestions: [
        'Of a bucket of AWS, see whether it allows SSE-C: `aws s3api get-bucket-encryption`.',
        'Leave out --sse-c-key-file, or use a store that knows SSE-C.',
        ...refusal.suggestions,
      ],
      cause: refusal,
    },
  )
}
