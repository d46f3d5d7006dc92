import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'

const docs = new URL('../../../docs/', import.meta.url)
const page = readFileSync(new URL('hazards.md', docs), 'utf8')
const rows = page.split('\n').filter((line) => /^\| (?!hazard \|)/.test(line))

/** A link to a test is its title. */
const TEST_LINK = /\[((?:[^\]\\]|\\.)+)\]\((\.\.\/test\/[^)]+)\)/g
const linksOf = (row: string) =>
  [...row.matchAll(TEST_LINK)].map(([, title, file]) => ({title: title!, file: file!}))

/** As it stands behind `it(`, `it.each(…)(` or `describe(`. */
const isTitleIn = (source: string, title: string) =>
  [`'${title}'`, `"${title}"`, `\`${title}\``].some((literal) => source.includes(literal))

describe('docs/hazards.md', () => {
  it('has a test for each hazard', () => {
    expect(rows.length).toBeGreaterThan(50)
    expect(rows.filter((row) => linksOf(row).length === 0)).toEqual([])
  })

  it('names tests as they are called', () => {
    const sources = new Map<string, string>()
    const source = (file: string) => {
      const known = sources.get(file) ?? readFileSync(new URL(file, docs), 'utf8')
      sources.set(file, known)
      return known
    }
    const unknown = rows.flatMap(linksOf).filter(({title, file}) => !isTitleIn(source(file), title))
    expect(unknown).toEqual([])
  })
})
