import type {BrokerAddress} from '../settings.js'
import {TransportFailure} from './failures.js'

/**
 * For what any broker can answer: asks one after another until one does.
 * @throws what the broker answered, or a TransportFailure that tells of all of them
 */
export async function firstThatAnswers<T>(
  addresses: readonly BrokerAddress[],
  ask: (address: BrokerAddress) => Promise<T>,
): Promise<T> {
  const failures: TransportFailure[] = []
  for (const address of addresses) {
    try {
      return await ask(address)
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error
      failures.push(error)
    }
  }
  throw mostTelling(failures)
}

/** What waiting does not heal is what the user must hear of; else all that was tried. */
function mostTelling(failures: readonly TransportFailure[]): TransportFailure {
  const permanent = failures.find((failure) => !failure.retriable)
  const [only] = failures
  if (permanent !== undefined) return permanent
  if (only !== undefined && failures.length === 1) return only
  const addresses = failures.map((failure) => failure.address).join(', ')
  const reasons = failures.map((failure) => failure.message).join('; ')
  return new TransportFailure('unreachable', addresses, reasons, only?.cause)
}
