/** One thing that is wrong with a processor, and how what is wrong is shown. */
import {inspect} from 'node:util'

export interface Mistake {
  readonly what: string
  readonly instead: string
}

export const shown = (value: unknown) =>
  inspect(value, {depth: 1, maxArrayLength: 5, maxStringLength: 60, breakLength: Infinity})

export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
