import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parseKeyTemplate, versionedKey} from '../../../../src/adapters/s3/key-template.js'
import {checkPath} from '../../../../src/core/chunk/paths.js'
import {incomingFile} from '../../../support/incoming-file.js'

const NOTHING = Buffer.alloc(0)
const keyOf = (template: string, path: string, prefix = '') =>
  parseKeyTemplate(template, prefix).keyOf(
    incomingFile(path, NOTHING, {timestampMs: Date.UTC(2026, 2, 9, 5)}),
  )

describe('the key of a file', () => {
  it.each([
    ['{topic}/{path}', 'run 1/scan.csv', 'files/run 1/scan.csv'],
    ['{stem}{ext}', 'a/scan.tar.gz', 'scan.tar.gz'],
    ['{stem}.v1{ext}', '.hidden', '.hidden.v1'],
    ['{subdir}/{name}', 'scan.csv', 'scan.csv'],
    ['{yyyy}/{mm}/{dd}/{hh}/{name}', 'a', '2026/03/09/05/a'],
    ['{subdir}//{name}', 'a/b', 'a/b'],
    ['{stem}/x', '..csv', '%2E/x'],
  ])('%s of %s is %s', (template, path, key) => expect(keyOf(template, path)).toBe(key))

  it('has the prefix before it as it is', () => expect(keyOf('{path}', 'a', 'raw-')).toBe('raw-a'))

  it.each([
    '{what}/{path}',
    '{path',
    'path}',
    'all-the-same',
    '/{path}',
    '../{path}',
    'a/./{path}',
    '{path}\n',
  ])('cannot be made from %j', (template) => expect(() => parseKeyTemplate(template, '')).toThrow(/--key/))

  it('is refused when it is longer than a store takes', () => {
    expect(keyOf('{path}', 'x'.repeat(1024))).toHaveLength(1024)
    expect(() => keyOf('{path}', 'ä'.repeat(513))).toThrow(expect.objectContaining({code: 'OBJECT_REFUSED'}))
  })

  it('has no component that leads elsewhere, whatever the name', () => {
    const paths = fc
      .array(fc.oneof(fc.constantFrom('..csv', '...', '. ', '..a', 'x.'), fc.string({unit: 'binary'})), {
        minLength: 1,
        maxLength: 4,
      })
      .map((components) => components.join('/'))
      .filter((path) => checkPath(path) === null)
    const templates = fc.constantFrom('{path}', '{subdir}/{name}', '{stem}/{ext}', 'a/{stem}/{ext}/{name}')
    fc.assert(
      fc.property(paths, templates, (path, template) => {
        const components = keyOf(template, path).split('/')
        expect(components.filter((component) => ['', '.', '..'].includes(component))).toEqual([])
      }),
      {numRuns: 50},
    )
  })

  it('tells whether paths can share one', () => {
    const tells = (template: string) => parseKeyTemplate(template, '').tellsPathsApart
    expect(['{path}', '{sha512}', '{subdir}/{stem}{ext}', '{topic}/{name}', '{stem}'].map(tells)).toEqual([
      ...[true, true, true],
      ...[false, false],
    ])
  })

  it('of a further version is the same for the same content', () => {
    const {sha512} = incomingFile('a', Buffer.from('content'))
    const digits = sha512.toString('hex').slice(0, 12)
    expect(versionedKey('t/a/scan.csv', {sha512})).toBe(`t/a/scan.${digits}.csv`)
    expect(versionedKey('t.1/scan', {sha512})).toBe(`t.1/scan.${digits}`)
  })
})
