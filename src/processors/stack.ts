/** Where in its own code a plugin failed, told from what it threw. */
import {inspect, types} from 'node:util'

/** Also of another realm. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || types.isNativeError(value)

/** Frames of Node and of what loads plugins say nothing to their authors. */
const OTHERS = /\(?(node:|<anonymous>|native\))|[/\\]node_modules[/\\]jiti[/\\]/

/** `at parse (/home/me/xrd.ts:12:3)`, innermost first. */
export function frames(thrown: unknown, most = Infinity): string[] {
  if (!isError(thrown)) return []
  return (thrown.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !OTHERS.test(line))
    .map((line) => line.replaceAll('file://', ''))
    .slice(0, most)
}

/** @param path of a file; null when that is not known */
export const cameThrough = (thrown: unknown, path: string | null): boolean =>
  path !== null && frames(thrown).some((frame) => frame.includes(path))

/** What was thrown, in words, whatever it is. */
export function messageOf(thrown: unknown): string {
  if (!isError(thrown))
    return `it threw ${inspect(thrown, {depth: 1, maxStringLength: 200, breakLength: Infinity})}`
  const own = thrown.message.trim()
  const first =
    thrown instanceof AggregateError && thrown.errors.length > 0 ? messageOf(thrown.errors[0]) : null
  if (own === '') return first ?? thrown.name
  return first === null ? own : `${own}: ${first}`
}
