/** Whatever is said to `passthrough`: it is understood, or refused in words; and one name is one name. */
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../src/core/errors.js'
import {readProperties} from '../../src/cli/spring/application-properties.js'
import {KNOWN_PROPERTIES} from '../../src/cli/spring/meanings.js'
import {parsePassthrough} from '../../src/cli/spring/index.js'

const names = KNOWN_PROPERTIES.map(({name}) => name.replace('{}', 'input').replace('*', 'security.protocol'))
const name = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(
    'server.port',
    'management.server.port',
    'info.a.b',
    'info.__proto__.x',
    'reversestring',
    'spring.config.location',
  ),
  fc.string({maxLength: 20}),
)
const value = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'true',
    '-1',
    '3',
    'a,b',
    '${x}',
    '${x:y}',
    '${${x:server.port}}',
    '${',
    '}',
    '${a:${b:${c',
    "headers['x']",
    'PLAINTEXT://a,b',
  ),
)
const word = fc.oneof(
  fc.tuple(name, value).map(([key, given]) => `--${key}=${given}`),
  name.map((key) => `--${key}`),
  value,
  fc.constantFrom('$@', '--', '-X', '-Xa=b', '--no-once'),
)
const json = fc.oneof(
  fc.json(),
  fc.dictionary(name, fc.oneof(value, fc.jsonValue())).map((table) => JSON.stringify(table)),
)
const variable = fc.oneof(
  name.map((key) => key.replaceAll('.', '_').toUpperCase()),
  name,
)

async function understoodOrRefused(argv: readonly string[], env: NodeJS.ProcessEnv) {
  try {
    return await parsePassthrough(argv, env, '/nonexistent')
  } catch (error) {
    if (!(error instanceof StreamtoolError) || error.code === 'BUG') throw error
    return null
  }
}

describe('properties of Spring', () => {
  it('never fail in another way than with a refusal', async () => {
    const given = fc.tuple(
      fc.array(word, {maxLength: 6}),
      fc.option(json),
      fc.dictionary(variable, value, {maxKeys: 4}),
    )
    await fc.assert(
      fc.asyncProperty(given, async ([argv, text, variables]) => {
        const env = text === null ? variables : {...variables, SPRING_APPLICATION_JSON: text}
        await understoodOrRefused(argv, env)
        expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('x')
      }),
      {numRuns: 200},
    )
  })

  it('mean the same in every way of writing them', async () => {
    const plain = fc.constantFrom(
      ...KNOWN_PROPERTIES.filter(({meaning}) => 'says' in meaning).map(({name}) =>
        name.replace('{}', 'input'),
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        plain,
        fc.constantFrom('1', '2', 'true', 'payload', 'headers'),
        async (name, given) => {
          const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
          const variable = name.replaceAll('.', '_').replaceAll('-', '').toUpperCase()
          const ways = await Promise.all([
            understoodOrRefused([`--${name}=${given}`], {}),
            understoodOrRefused([`--${camel}`, given], {}),
            understoodOrRefused([], {[variable]: given, SPRING_CLOUD_STREAM_SOURCE: 'x'}),
            understoodOrRefused([], {
              [name.replaceAll('.', '_').replaceAll('-', '_').toUpperCase()]: given,
              SPRING_CLOUD_STREAM_SOURCE: 'x',
            }),
            understoodOrRefused([], {SPRING_APPLICATION_JSON: JSON.stringify({[camel]: given})}),
          ])
          const meant = ways.map(
            (way) => way && [...way.properties].map(([setting, {raw}]) => [setting, raw]),
          )
          for (const one of meant) expect(one).toEqual(meant[0])
        },
      ),
      {numRuns: 60},
    )
  })

  it('a file is read to its end, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (text) => readProperties(text) instanceof Map),
      {numRuns: 300},
    )
  })
})
