import {readFile} from 'node:fs/promises'
import {expect, it} from 'vitest'
import {COUNTS, DERIVED, LEVELS} from '../../../src/core/measures.js'

it('docs/operations.md has every metric, in the words that scrapers get', async () => {
  const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| `streamtool_\w+` \|/.test(line))
  const nameOf = (name: string) => `streamtool_${name.replaceAll('.', '_')}`
  const expected = [
    ...Object.entries(COUNTS).map(([name, help]) => `| \`${nameOf(name)}_total\` | ${help} |`),
    ...Object.entries({...LEVELS, ...DERIVED}).map(([name, help]) => `| \`${nameOf(name)}\` | ${help} |`),
  ]
  expect(expected.filter((row) => !rows.includes(row))).toEqual([])
})
