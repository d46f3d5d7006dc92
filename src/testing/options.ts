/** The values of a processor's flags, as `streamtool process` would hand them over. */
import {StreamtoolError} from '../core/errors.js'
import {nearest} from '../core/nearest.js'
import type {FlagDefinition, Processor} from '../processors/contract.js'

/** @throws SETTING_INVALID, SETTING_MISSING */
export function valuesOf(
  {name, flags = {}}: Processor,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  for (const option of Object.keys(given)) {
    if (Object.hasOwn(flags, option)) continue
    const meant = nearest(option, Object.keys(flags))
    throw new StreamtoolError('SETTING_INVALID', `${name} has no flag \`${option}\`.`, {
      suggestions: meant === null ? [] : [`Did you mean \`${meant}\`?`],
    })
  }
  return Object.fromEntries(
    Object.entries(flags).map(([option, flag]) => [option, valueOf(option, flag, given[option])]),
  )
}

function valueOf(option: string, flag: FlagDefinition, given: unknown): unknown {
  const value = given ?? flag.default ?? (flag.type === 'boolean' ? false : undefined)
  if (value === undefined) {
    if (flag.type === 'boolean' || flag.required !== true) return undefined
    throw new StreamtoolError('SETTING_MISSING', `The flag \`${option}\` is required.`, {
      suggestions: [`Give it in the options of the test: options: {${option}: …}`],
    })
  }
  if (typeof value === flag.type) return value
  throw new StreamtoolError('SETTING_INVALID', `The flag \`${option}\` is to be a ${flag.type}.`)
}
