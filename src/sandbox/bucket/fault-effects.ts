/** Carries a fault out, instead of the answer or on it. */
import {once} from 'node:events'
import type {ServerResponse} from 'node:http'
import {type Answer, errorAnswer, type ErrorContext} from './answer.js'
import {slowly, withOneBitFlipped} from './body/passage.js'
import type {Fault} from './faults.js'
import {sendTruncated} from './sending.js'

/**
 * @param answer what would be answered; null when the call has not been carried out, and will not be
 * @returns what is to be answered instead; null when there is nothing to be said any more
 */
export async function faultyAnswer(
  fault: Fault,
  answer: Answer | null,
  response: ServerResponse,
  context: ErrorContext,
): Promise<Answer | null> {
  switch (fault.kind) {
    case 'error': {
      const refusal = errorAnswer({message: 'A test asked for this.', details: {}, ...fault}, context)
      return {...refusal, headers: {...refusal.headers, ...fault.headers}}
    }
    case 'error-in-200':
      return errorAnswer({message: 'A test asked for this.', details: {}, ...fault, status: 200}, context)
    case 'reset':
      response.socket?.resetAndDestroy()
      return null
    case 'silence':
      // The client may have lost its patience before.
      if (!response.closed) await once(response, 'close')
      return null
    case 'truncated':
      await sendTruncated(response, answer)
      return null
    case 'slow':
      return answer === null ? null : passed(answer, slowly(fault.bytesPerSecond))
    case 'corrupted':
      return answer === null ? null : passed(answer, withOneBitFlipped)
  }
}

function passed({status, headers, body}: Answer, through: ReturnType<typeof slowly>): Answer {
  if (!Buffer.isBuffer(body)) return {status, headers, body: through(body)}
  const whole = async function* () {
    yield body
  }
  return {status, headers: {'content-length': body.length, ...headers}, body: through(whole())}
}
