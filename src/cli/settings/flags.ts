/** Settings as oclif flags: raw text only. oclif neither requires, defaults, validates nor reads the environment. */
import {Flags} from '@oclif/core'
import {keyName, type Setting, type Settings} from './setting.js'

export type FlagDefinitions = Record<string, ReturnType<typeof flagOf>>

/** The same for each copy of this module: a plugin under development may bring its own. */
const SETTINGS = Symbol.for('streamtool.settings')

/** What `static flags` of a command is made with. */
export function flagsOf(settings: Settings): FlagDefinitions {
  const flags: FlagDefinitions = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [keyName(name), flagOf(name, setting)]),
  )
  return Object.assign(flags, {[SETTINGS]: settings})
}

/** What {@link flagsOf} was given; undefined for flags that were made otherwise. */
export function settingsOf(flags: object): Settings | undefined {
  return (flags as {readonly [SETTINGS]?: Settings})[SETTINGS]
}

function flagOf(name: string, setting: Setting) {
  const facts = {
    summary: summaryOf(setting),
    helpGroup: setting.group,
    helpLabel: labelOf(name, setting),
    ...(setting.char === undefined ? {} : {char: setting.char}),
  }
  if (setting.kind === 'toggle') return Flags.boolean({...facts, allowNo: true})
  const option = {...facts, helpValue: setting.placeholder}
  // Commas are split where values are understood (schema.ts), because the environment needs it as well.
  return isRepeatable(setting)
    ? Flags.string({...option, multiple: true, multipleNonGreedy: true})
    : Flags.string(option)
}

export const isRepeatable = (setting: Setting) => setting.kind === 'list' || setting.kind === 'pairs'

/** oclif's own labels are out of line when only some flags of a group have a short form. */
function labelOf(name: string, {char, kind}: Setting): string {
  const long = kind === 'toggle' ? `--[no-]${keyName(name)}` : `--${keyName(name)}`
  return char === undefined ? long : `-${char}, ${long}`
}

/** oclif would print a default and `(required)` only for what it enforces itself. */
function summaryOf({kind, summary, required, default: value}: Setting): string {
  if (required === true) return `${summary} (needed)`
  return value === undefined || (kind === 'toggle' && value === 'false') ? summary : `${summary} [${value}]`
}
