/**
 * Which binding is the input and which the output. `input` and `output`, or `<function>-in-0` and `<function>-out-0`,
 * or any other name that `spring.cloud.stream.function.bindings.<function>-in-0` gives them.
 */
import {StreamtoolError} from '../../core/errors.js'
import {canonical} from './property.js'

/** What is said about one binding. */
export interface NamedBinding {
  readonly name: string
  readonly hasDestination: boolean
  /** By what is said of it: only an input has a consumer or a group, only an output a producer. */
  readonly looksLike: 'in' | 'out' | null
}

export interface Bindings {
  readonly input: string
  readonly output: string
}

/**
 * @param named by canonical name
 * @param aliases the name of a function's binding -> the name that it was given, both as written
 * @param definition `spring.cloud.function.definition`
 * @throws SETTING_INVALID when there are several inputs or outputs, or one that is neither
 */
export function bindingsOf(
  named: ReadonlyMap<string, NamedBinding>,
  aliases: ReadonlyMap<string, string>,
  definition: string | undefined,
): Bindings {
  const functionName = nameOfFunction(definition)
  const byRole = {in: [] as NamedBinding[], out: [] as NamedBinding[]}
  for (const binding of named.values()) {
    const role = roleOf(binding, aliases)
    if (role !== null) byRole[role].push(binding)
    else
      throw invalid(`The binding ${binding.name} is neither an input nor an output.`, [
        'Name them input and output, or <function>-in-0 and <function>-out-0.',
      ])
  }
  const usual = (role: 'in' | 'out') =>
    [...aliases].find(([of]) => roleOfName(canonical(of)) === role)?.[1] ??
    (functionName === null ? (role === 'in' ? 'input' : 'output') : `${functionName}-${role}-0`)
  const input = chosen(byRole.in, usual('in'), 'input')
  const matching = /^(.*)-in-0$/.exec(input)?.[1]
  const output = chosen(byRole.out, matching === undefined ? usual('out') : `${matching}-out-0`, 'output')
  return {input, output}
}

function chosen(bindings: readonly NamedBinding[], usual: string, what: string): string {
  const bound = bindings.filter(({hasDestination}) => hasDestination)
  if (bound.length > 1)
    throw invalid(`There are several ${what}s: ${bound.map(({name}) => name).join(' and ')}.`, [
      `A processor has one; several topics are one destination with commas between.`,
    ])
  const preferred = bindings.find(({name}) => canonical(name) === canonical(usual))
  return (bound[0] ?? preferred ?? bindings[0])?.name ?? usual
}

function roleOf({name, looksLike}: NamedBinding, aliases: ReadonlyMap<string, string>): 'in' | 'out' | null {
  for (const [of, alias] of aliases)
    if (canonical(alias) === canonical(name)) return roleOfName(canonical(of)) ?? looksLike
  return roleOfName(canonical(name)) ?? looksLike
}

function roleOfName(name: string): 'in' | 'out' | null {
  if (name === 'input' || /in\d+$/.test(name)) return 'in'
  return name === 'output' || /out\d+$/.test(name) ? 'out' : null
}

/** `a|b` is one function whose bindings are called `ab-in-0`; `a;b` are two. */
function nameOfFunction(definition: string | undefined): string | null {
  if (definition === undefined || definition.trim() === '') return null
  if (definition.includes(';'))
    throw invalid('spring.cloud.function.definition names several functions.', [
      'Run a process for each; this is one processor, whatever its function is called.',
    ])
  return definition.replaceAll(/[|,\s]/g, '')
}

const invalid = (message: string, suggestions: readonly string[]) =>
  new StreamtoolError('SETTING_INVALID', message, {suggestions})
