/** The table of docs/spring.md, made from what each property means. */
import {flagName} from '../src/cli/settings/setting.js'
import {KNOWN_PROPERTIES, type Meaning} from '../src/cli/spring/meanings.js'

const MARKED = /(<!-- properties -->\n)[^]*?(\n<!-- \/properties -->)/

/** The page with its table made anew. */
export function springPage(page: string): string {
  if (!MARKED.test(page)) throw new Error('docs/spring.md has no place for the properties')
  return page.replace(MARKED, (_, start: string, end: string) => start + table() + end)
}

function table(): string {
  const rows = KNOWN_PROPERTIES.filter(({name}) => !/\.default\./.test(name)).map(
    ({name, meaning}) =>
      `| \`${name.replace('{}', '<binding>')}\` | ${explain(meaning).replaceAll('|', '\\|')} |`,
  )
  return ['| property | here |', '|---|---|', ...rows].join('\n')
}

/** One of these says what a property can say. */
const SAMPLES = ['1', 'true', 'payload', 'none', 'latest']

function explain(meaning: Meaning): string {
  if ('harmless' in meaning) return 'of no effect'
  if ('refused' in meaning) return `refused: ${meaning.refused}`
  if ('only' in meaning)
    return `only ${meaning.only.map((value) => `\`${value}\``).join(', ')}: ${meaning.because}`
  if ('option' in meaning)
    return 'an option of the Kafka client, [mapped or refused by name](configuration.md#client-options)'
  if ('elsewhere' in meaning) return 'see above'
  const names = SAMPLES.flatMap((sample) => meaning.says(sample) ?? []).map(({name}) => flagName(name))
  const because = meaning.because === undefined ? '' : `; ${meaning.because}`
  return [...new Set(names)].map((name) => `\`${name}\``).join(', ') + because
}
