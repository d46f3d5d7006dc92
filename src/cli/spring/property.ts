/**
 * A property as Spring Boot binds it: `backOffInitialInterval`, `back-off-initial-interval` and
 * `..._BACKOFFINITIALINTERVAL` are one name. Compared are its elements, in lower case and without dashes:
 *
 *     spring.cloud.stream.bindings.input.consumer.max-attempts   spring cloud stream bindings input consumer maxattempts
 *     SPRING_CLOUD_STREAM_BINDINGS_INPUT_CONSUMER_MAX_ATTEMPTS   … consumer max attempts      (joins)
 */
export interface SpringProperty {
  readonly elements: readonly string[]
  /** Of a variable: a dash of the name may stand as an underscore, so several elements may be one of the name's. */
  readonly joins: boolean
  /** As the user wrote it: for messages, and for names that are shown (bindings, info). */
  readonly written: string
  /** `--spring.…`, `spring.… in SPRING_APPLICATION_JSON`: where the user finds it. Never the value. */
  readonly source: string
  readonly value: string
}

/** `info.app[name]`, `brokers[0]` -> the elements as they are written. */
export function writtenElements(name: string): string[] {
  return name
    .replace(/\[([^\]]*)\]/g, '.$1')
    .split('.')
    .filter((element) => element !== '')
}

export const canonical = (element: string) => element.toLowerCase().replaceAll(/[-_]/g, '')

export const canonicalName = (name: string) => writtenElements(name).map(canonical)

/** `SPRING_CLOUD_STREAM_…`, dashes kept or left out; and dotted ones, as containers are given them. */
export function elementsOfVariable(name: string): {elements: string[]; joins: boolean} {
  if (name.includes('.')) return {elements: canonicalName(name), joins: false}
  const elements = name
    .split('_')
    .map((element) => element.toLowerCase().replaceAll('-', ''))
    .filter((element) => element !== '')
  return {elements, joins: true}
}

/** Null when it is not that name; else what stands in place of `{…}` (one element) and of a final `*` (the rest). */
export interface Match {
  readonly binding: string
  readonly rest: readonly string[]
}

/** @param pattern elements in canonical form; `{}` stands for one element, a last `*` for one or more */
export function matchName(
  pattern: readonly string[],
  {elements, joins}: Pick<SpringProperty, 'elements' | 'joins'>,
): Match | null {
  const longest = joins ? elements.length : 1
  const from = (p: number, e: number): Match | null => {
    const wanted = pattern[p]
    if (wanted === undefined) return e === elements.length ? {binding: '', rest: []} : null
    if (wanted === '*') return e < elements.length ? {binding: '', rest: elements.slice(e)} : null
    let joined = ''
    for (let taken = 1; taken <= longest && e + taken <= elements.length; taken++) {
      joined += elements[e + taken - 1] ?? ''
      if (wanted !== '{}' && joined.length > wanted.length) return null
      if (wanted !== '{}' && joined !== wanted) continue
      const match = from(p + 1, e + taken)
      if (match !== null) return wanted === '{}' ? {...match, binding: joined} : match
    }
    return null
  }
  return from(0, 0)
}
