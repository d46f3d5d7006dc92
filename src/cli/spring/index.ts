/**
 * The properties of Spring Cloud Stream, as Data Flow and its users give them to an application:
 *
 *     --key=value arguments          ┐
 *     SPRING_APPLICATION_JSON        │ the strongest first, one name for all ways of writing it
 *     variables, with _ or dots      │ (property.ts), merged key by key
 *     application.properties, .yml   ┘
 *             │ ${…} filled in (sources.ts)
 *             ├─ spring.cloud.stream.*   -> settings of passthrough (translate.ts, meanings.ts), or refused by name
 *             ├─ server.*, management.*  -> HTTP endpoints (watch-settings.ts)
 *             └─ all else                -> told once, and of no effect
 *
 * So a property is only another way of saying a setting: weaker than a plain flag, stronger than STREAMTOOL_ variables
 * and the configuration file, and shown with the rest by the same code.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {WatchOptions} from '../../core/ports/index.js'
import {nearest} from '../../core/nearest.js'
import type {Property} from '../settings/layers.js'
import {passthroughSettings} from '../settings/groups/passthrough.js'
import {flagName, type Settings} from '../settings/setting.js'
import {type ArgumentList, readArguments} from './arguments.js'
import type {Bindings} from './bindings.js'
import type {SpringProperty} from './property.js'
import {fillPlaceholders, findProperty, gatherProperties} from './sources.js'
import {tagsOf, variablesOfDataFlow} from './tags.js'
import {translate} from './translate.js'
import {isOfWatching, watchOptionsOf} from './watch-settings.js'

export interface PassthroughArguments {
  /** By flag, without dashes. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Settings that Spring's properties say. */
  readonly properties: ReadonlyMap<string, Property>
  /** Null when nothing is Spring's: then this is a program like the others. */
  readonly spring: SpringFacts | null
  /** To be said once, and no cause for alarm. */
  readonly remarks: readonly string[]
}

export interface SpringFacts {
  readonly bindings: Bindings
  /** The default group. */
  readonly streamName: string | null
  /** Null when it was switched off. */
  readonly watch: WatchOptions | null
}

/** Variables that count as flags of ours: Data Flow's entry point `shell` puts an application's own properties there. */
const OWN_VARIABLES = ['reversestring', 'reverseby', 'onfailure', 'deadlettertopic', 'partitionby']

export interface KnownSettings {
  /** Those of `passthrough`, and of the plugin that it runs. */
  readonly settings: Settings
  /** False: there may be a plugin yet, whose flags the unknown ones are. */
  readonly areAll: boolean
}

/**
 * @throws USAGE, SETTING_INVALID, CLIENT_OPTION_UNSUPPORTED, CONFIG_UNREADABLE; no message repeats a value
 */
export async function parsePassthrough(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  {settings: known, areAll}: KnownSettings = {settings: passthroughSettings, areAll: true},
): Promise<PassthroughArguments> {
  const given = readArguments(argv, known)
  const sources = await gatherProperties(given.properties, env, cwd, OWN_VARIABLES)
  if (sources === null) {
    if (areAll) refuseUnknown(given, known)
    return {flags: given.flags, properties: new Map(), spring: null, remarks: []}
  }
  const all = sources.properties
  const fill = (property: SpringProperty) => fillPlaceholders(property, all, env)
  const {settings, bindings, leftOut, others} = translate(all, known, fill)
  const watching = others.filter((property) => isOfWatching(property) || isOfSpring(property)).map(fill)
  const streamName =
    tagsOf(watching)['stream.name'] ?? findProperty(watching, 'spring.cloud.application.group')?.value
  const phase = findProperty(watching, 'spring.lifecycle.timeout-per-shutdown-phase')
  if (phase !== undefined && !settings.has('shutdownTimeout'))
    settings.set('shutdownTimeout', {raw: durationOf(phase.value), name: phase.source})
  return {
    flags: given.flags,
    properties: settings,
    spring: {bindings, streamName: streamName ?? null, watch: watchOptionsOf(watching, env)},
    remarks: remarksOn({given, leftOut, others, files: sources.files}),
  }
}

/** Facts that Data Flow puts into the environment of every application, for the metrics of any command. */
export const dataFlowTags = (env: NodeJS.ProcessEnv): Record<string, string> =>
  tagsOf(variablesOfDataFlow(env))

/** @throws USAGE */
function refuseUnknown({unknown, strayWords}: ArgumentList, known: Settings): void {
  const [first] = unknown
  if (first !== undefined) {
    const shown = /^[a-z][\w-]{0,40}$/i.test(first) ? `--${first}` : null
    const meant = shown === null ? null : nearest(shown, [...Object.keys(known).map(flagName), '--help'])
    throw usage(
      shown === null
        ? 'passthrough was given a flag that it does not have.'
        : `passthrough has no flag ${shown}.`,
      meant === null ? [] : [`Instead of ${shown ?? ''}, did you mean ${meant}?`],
    )
  }
  if (strayWords > 0)
    throw usage('passthrough was given more arguments than it takes.', [
      'Values belong behind their flags, like --input TOPIC.',
    ])
}

const usage = (message: string, suggestions: readonly string[]) =>
  new StreamtoolError('USAGE', message, {suggestions: [...suggestions, 'See streamtool passthrough --help']})

const isOfSpring = ({elements}: SpringProperty) =>
  /^(spring(main|lifecycle|application|cloud|webflux)|cf|instance)/.test(elements.join(''))

/** `30s`, `PT30S`, `30000` (ms). */
function durationOf(written: string): string {
  if (/^\d+$/.test(written)) return `${written}ms`
  return written.replace(/^pt/i, '').toLowerCase()
}

/** What Data Flow and its servers say to every application, and nobody misses. */
const USUAL =
  /^(spring\.cloud\.(dataflow|application|config|kubernetes|task|skipper|deployer)|spring\.(application|config|main|profiles|lifecycle|jmx|autoconfigure)|server|management|info|logging|instance|cf\.instance|instanceindex|eureka)\b/

interface Told {
  readonly given: ArgumentList
  readonly leftOut: readonly string[]
  readonly others: readonly SpringProperty[]
  readonly files: readonly string[]
}

function remarksOn({given, leftOut, others, files}: Told): string[] {
  const unusual = others.filter(({elements}) => !USUAL.test(elements.join('.')))
  const without = [
    ...leftOut,
    ...unusual.map(({source}) => source),
    ...given.unknown.map((name) => `--${name}`),
  ]
  return [
    ...(files.length === 0 ? [] : [`Properties were read from ${files.join(', ')}.`]),
    ...(without.length === 0 ? [] : [`Of no effect here: ${without.join(', ')}.`]),
    ...(given.strayWords === 0
      ? []
      : [`${given.strayWords} arguments that are no options were passed over.`]),
  ]
}
