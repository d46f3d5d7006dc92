import {readFile} from 'node:fs/promises'
import {describe, expect, it} from 'vitest'
import {EMBEDDING, withCode} from '../../../scripts/embedded-code.js'
import {configurationPage} from '../../../scripts/configuration-tables.js'
import {errorsPage} from '../../../scripts/errors-page.js'
import {springPage} from '../../../scripts/spring-tables.js'

const page = (name: string) => readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

describe('what `npm run docs` makes is up to date', () => {
  it('docs/errors.md', async () => expect(await page('errors.md')).toBe(errorsPage()))

  it('docs/configuration.md', async () => {
    const written = await page('configuration.md')
    expect(written).toBe(configurationPage(written))
  })

  it.each(EMBEDDING)('the code in docs/%s', async (name) => {
    const written = await page(name)
    expect(written).toBe(await withCode(written))
  })

  it('docs/spring.md', async () => {
    const written = await page('spring.md')
    expect(written).toBe(springPage(written))
  })
})
