/** Spring's properties of the stream, said as settings of `passthrough`; what cannot be said is refused by name. */
import {StreamtoolError} from '../../core/errors.js'
import {nearest} from '../../core/nearest.js'
import type {Property} from '../settings/layers.js'
import type {Settings} from '../settings/setting.js'
import {type Bindings, bindingsOf, type NamedBinding} from './bindings.js'
import {brokerList} from './brokers.js'
import {mechanismOfLoginModule, readKafkaOption, type Side} from './kafka-options.js'
import {KNOWN_PROPERTIES, type KnownProperty, type Meaning, type SettingValue} from './meanings.js'
import {canonical, canonicalName, matchName, type Match, type SpringProperty} from './property.js'

export interface Translation {
  readonly settings: Map<string, Property>
  readonly bindings: Bindings
  /** Properties without effect, with the reason where there is one to tell. */
  readonly leftOut: readonly string[]
  /** Those that are not of the stream. */
  readonly others: readonly SpringProperty[]
}

const PATTERNS = KNOWN_PROPERTIES.map((known) => ({known, pattern: canonicalName(known.name)}))
const STREAM_PREFIX = 'springcloudstream'

interface Understood {
  readonly property: SpringProperty
  readonly known: KnownProperty
  readonly match: Match
}

/**
 * @param properties the strongest first
 * @param fill fills their placeholders in; not called for those that mean nothing here
 * @throws SETTING_INVALID, CLIENT_OPTION_UNSUPPORTED; no message repeats a value
 */
export function translate(
  properties: readonly SpringProperty[],
  own: Settings,
  fill: (property: SpringProperty) => SpringProperty,
): Translation {
  const understood: Understood[] = []
  const others: SpringProperty[] = []
  for (const property of properties) {
    const found = knownFor(property)
    if (found !== null) understood.push({...found, property: fill(property)})
    else if (property.elements.join('').startsWith(STREAM_PREFIX)) throw unknown(property)
    else others.push(property)
  }
  const bindings = bindingsFor(understood)
  const saying = new Saying(bindings)
  // What is said of one binding is stronger than what is said of all, wherever it was said.
  for (const item of understood) if (!isDefault(item)) saying.take(item)
  for (const item of understood) if (isDefault(item)) saying.take(item)
  const notOurs = others.filter((property) => !saying.takeOwn(property, own, fill))
  return {...saying.result(), bindings, others: notOurs}
}

function knownFor(property: SpringProperty): Understood | null {
  for (const {known, pattern} of PATTERNS) {
    const match = matchName(pattern, property)
    if (match !== null) return {property, known, match}
  }
  return null
}

const isDefault = ({known}: Understood) => /^spring\.cloud\.stream\.(kafka\.)?default\./.test(known.name)
const nameAfterBinding = ({known}: Understood) => /\{\}\.(.*)$/.exec(known.name)?.[1] ?? null

function bindingsFor(understood: readonly Understood[]): Bindings {
  const named = new Map<string, NamedBinding>()
  const aliases = new Map<string, string>()
  let definition: string | undefined
  for (const item of understood) {
    const {property, known, match} = item
    if (known.name === 'spring.cloud.stream.function.bindings.*')
      aliases.set(property.joins ? match.rest.join('') : writtenTail(property, 5), property.value)
    if (/function\.definition$/.test(known.name)) definition ??= property.value
    const said = nameAfterBinding(item)
    if (said === null) continue
    const before = named.get(match.binding)
    const writtenName = property.joins
      ? match.binding
      : writtenTail(property, known.name.includes('.kafka.') ? 5 : 4, 1)
    named.set(match.binding, {
      // A variable's name is all capitals and has lost its dashes.
      name: before !== undefined && before.name !== match.binding ? before.name : writtenName,
      hasDestination: before?.hasDestination === true || said === 'destination',
      looksLike: before?.looksLike ?? known.role ?? (said === 'group' ? 'in' : null),
    })
  }
  return bindingsOf(named, aliases, definition)
}

/** Of a dotted name, elements from the index on, as they were written. */
function writtenTail({written}: SpringProperty, from: number, count = Number.POSITIVE_INFINITY): string {
  const parts = written.replace(/\[([^\]]*)\]/g, '.$1').split('.')
  return parts.slice(from, from + count).join('.')
}

/** What was said so far; the first to say a thing is heard. */
class Saying {
  readonly #settings = new Map<string, Property>()
  /** Properties that were given the value which they have anyway. */
  readonly #asByDefault = new Set<Meaning>()
  readonly #leftOut: string[] = []
  readonly #elsewhere = new Map<string, SpringProperty>()
  /** Who said how to reach the brokers, to notice when the two clients are to differ. */
  readonly #connection = new Map<
    string,
    {readonly side: string; readonly raw: string; readonly source: string}
  >()

  constructor(private readonly bindings: Bindings) {}

  take({property, known, match}: Understood): void {
    const role = this.#roleOf(match.binding)
    const isOfUnused = match.binding !== '' && (role === null || (known.role !== null && known.role !== role))
    if (isOfUnused) {
      this.#leftOut.push(`${property.source} (no binding of this processor)`)
      return
    }
    this.#heed(property, known, match, role)
  }

  /** A flag of ours, said as a property: `reversestring=true` in SPRING_APPLICATION_JSON. */
  takeOwn(
    property: SpringProperty,
    own: Settings,
    fill: (property: SpringProperty) => SpringProperty,
  ): boolean {
    if (!property.joins && property.elements.length !== 1) return false
    const written = property.elements.join('')
    const name = Object.keys(own).find((name) => canonical(name) === written)
    if (name === undefined) return false
    const filled = fill(property)
    this.#say([{name, raw: filled.value}], filled)
    return true
  }

  #roleOf(binding: string): 'in' | 'out' | null {
    if (binding === canonical(this.bindings.input)) return 'in'
    return binding === canonical(this.bindings.output) ? 'out' : null
  }

  #heed(property: SpringProperty, known: KnownProperty, match: Match, role: 'in' | 'out' | null): void {
    const {meaning} = known
    if ('harmless' in meaning) return
    if ('refused' in meaning) throw refused(property, meaning.refused)
    if ('only' in meaning) {
      if (!meaning.only.includes(property.value.trim().toLowerCase()))
        throw refused(property, meaning.because)
      return
    }
    if ('says' in meaning) this.#sayOnce(meaning, property)
    else if ('option' in meaning) this.#option(meaning.option, match.rest.join('.'), property)
    else this.#keep(known.name, role, property)
  }

  /** That it is as it is by default is said, too: what is weaker does not undo that. */
  #sayOnce(meaning: Extract<Meaning, {says: unknown}>, property: SpringProperty): void {
    // An empty value says nothing: deployers pass properties on that nobody has set.
    if (property.value === '' || this.#asByDefault.has(meaning)) return
    const values = meaning.says(property.value)
    if (values === null) throw refused(property, meaning.because ?? 'its value has no equivalent')
    if (values.length === 0) this.#asByDefault.add(meaning)
    this.#say(values, property)
  }

  #say(values: readonly SettingValue[], {source: name}: SpringProperty): void {
    for (const {name: setting, raw} of values)
      if (!this.#settings.has(setting)) this.#settings.set(setting, {raw, name})
  }

  #option(side: Side, key: string, property: SpringProperty): void {
    const option = readKafkaOption(key, property.value, side)
    if ('leftOut' in option) {
      this.#leftOut.push(`${property.source} (${option.leftOut})`)
      return
    }
    for (const {name, value: raw} of option.mapped) {
      const before = this.#connection.get(name)
      if (
        before !== undefined &&
        before.side !== side &&
        before.side !== 'both' &&
        side !== 'both' &&
        before.raw !== raw
      )
        throw refused(property, `${before.source} says something else, and both clients are one here`)
      if (before === undefined) this.#connection.set(name, {side, raw, source: property.source})
      this.#say([{name, raw}], property)
    }
  }

  #keep(name: string, role: 'in' | 'out' | null, property: SpringProperty): void {
    const last = name.split('.').at(-1) ?? name
    const key = name.includes('{}') ? `${role ?? ''}:${last}` : name
    if (!this.#elsewhere.has(key)) this.#elsewhere.set(key, property)
  }

  result(): Pick<Translation, 'settings' | 'leftOut'> {
    this.#binding()
    this.#brokers()
    this.#deadLetters()
    this.#partitions()
    return {settings: this.#settings, leftOut: this.#leftOut}
  }

  #binding(): void {
    const as = (key: string, name: string) => {
      const property = this.#elsewhere.get(key)
      if (property !== undefined && property.value !== '') this.#say([{name, raw: property.value}], property)
    }
    as('in:destination', 'input')
    as('out:destination', 'output')
    as('in:group', 'group')
    as('spring.cloud.stream.default.group', 'group')
    as('out:content-type', 'contentType')
    as('spring.cloud.stream.default.content-type', 'contentType')
  }

  #brokers(): void {
    const property =
      this.#elsewhere.get('spring.cloud.stream.kafka.binder.brokers') ??
      this.#elsewhere.get('spring.kafka.bootstrap-servers')
    const port = this.#elsewhere.get('spring.cloud.stream.kafka.binder.default-broker-port')?.value ?? '9092'
    if (property !== undefined && property.value.trim() !== '') {
      const {brokers, tls} = brokerList(property.value, port)
      this.#say([{name: 'brokers', raw: brokers.join(',')}], property)
      if (tls) this.#say([{name: 'tls', raw: 'true'}], property)
    }
    const protocol = this.#elsewhere.get('spring.kafka.security.protocol')
    if (protocol !== undefined) this.#option('both', 'security.protocol', protocol)
    const module = this.#elsewhere.get('spring.cloud.stream.kafka.binder.jaas.login-module')
    if (module === undefined) return
    const mechanism = mechanismOfLoginModule(module.value)
    if (mechanism === null) throw refused(module, 'only PlainLoginModule and ScramLoginModule are supported')
    this.#say([{name: 'saslMechanism', raw: mechanism}], module)
  }

  /** A name without enableDlq is of no effect. */
  #deadLetters(): void {
    const property =
      this.#elsewhere.get('in:dlq-name') ??
      this.#elsewhere.get('spring.cloud.stream.kafka.default.consumer.dlq-name')
    if (property === undefined || property.value === '') return
    if (this.#settings.get('onFailure')?.raw === 'dead-letter')
      this.#say([{name: 'deadLetterTopic', raw: property.value}], property)
    else this.#leftOut.push(`${property.source} (enableDlq is not true)`)
  }

  /** The larger of `partitionCount` and `minPartitionCount`, as the binder has it. */
  #partitions(): void {
    const least = this.#elsewhere.get('spring.cloud.stream.kafka.binder.min-partition-count')
    if (least === undefined) return
    const said = this.#settings.get('partitions')
    if (said !== undefined && Number(said.raw) >= Number(least.value)) return
    this.#settings.set('partitions', {raw: least.value, name: least.source})
  }
}

function unknown(property: SpringProperty): StreamtoolError {
  const written = property.elements.join('.')
  const names = KNOWN_PROPERTIES.map(({name}) => name.replace('{}', bindingIn(property)))
  const meant = nearest(
    written,
    names.map((name) => canonicalName(name).join('.')),
  )
  const shown = names.find((name) => canonicalName(name).join('.') === meant)
  return new StreamtoolError('SETTING_INVALID', `${property.source} is no property that is known here.`, {
    suggestions: [
      ...(shown === undefined ? [] : [`Did you mean ${shown}?`]),
      'docs/spring.md lists those that are. One that is spelt wrong would be without effect.',
    ],
  })
}

const bindingIn = ({written}: SpringProperty) => /\bbindings\.([\w-]+)/.exec(written)?.[1] ?? 'input'

const refused = ({source}: SpringProperty, why: string) =>
  new StreamtoolError('SETTING_INVALID', `${source} is refused: ${why}.`, {
    suggestions: [
      'Leave it out, if it is meant for another application. docs/spring.md lists what is understood.',
    ],
  })
