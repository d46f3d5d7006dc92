/** What `process` returned, on its way to the process that sends it. */
import type {Returned} from './calls.js'

export function packReturned(value: unknown): Returned {
  if (typeof value === 'string' || Buffer.isBuffer(value) || value === null) return {kind: 'plain', value}
  if (typeof value !== 'object') return {kind: 'nothing'}
  try {
    const text = JSON.stringify(value) as string | undefined
    return text === undefined ? {kind: 'nothing'} : {kind: 'json', text}
  } catch (thrown) {
    return {kind: 'unwritable', reason: thrown instanceof Error ? thrown.message : String(thrown)}
  }
}

export function unpackReturned(returned: Returned): unknown {
  if (returned.kind === 'plain') return returned.value
  if (returned.kind === 'json') return JSON.parse(returned.text)
  if (returned.kind === 'nothing') return undefined
  return {
    toJSON: () => {
      throw new TypeError(returned.reason)
    },
  }
}
