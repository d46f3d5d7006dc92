import {spawnSync} from 'node:child_process'
import {describe, expect, it} from 'vitest'
import {cellsOf, dateCell, lineOf, pythonRepr} from '../../../../src/processors/registry/format.js'

const TEXTS: [string, string][] = [
  ['run/scan.csv', `'run/scan.csv'`],
  [`it's`, `"it's"`],
  ['say "x"', `'say "x"'`],
  [`it's "x"`, `'it\\'s "x"'`],
  ['back\\slash', `'back\\\\slash'`],
  ['a;b', `'a;b'`],
  ['new\nline\r\t', `'new\\nline\\r\\t'`],
  ['\u0001\u007f\u0085\u00a0', `'\\x01\\x7f\\x85\\xa0'`],
  ['ü µ 数据 🎉', `'ü µ 数据 🎉'`],
  ['\u200b\u2028\u{e0001}', `'\\u200b\\u2028\\U000e0001'`],
]

describe('the cells of the registry', () => {
  it.each(TEXTS)('%j is %s', (text, cell) => expect(pythonRepr(text)).toBe(cell))

  it.skipIf(spawnSync('python3', ['-c', '']).status !== 0)('are what Python writes and reads', () => {
    const program = `
import csv, io, json, sys
out = io.StringIO()
texts = json.load(sys.stdin)
csv.writer(out, delimiter=';', quoting=csv.QUOTE_MINIMAL, lineterminator='').writerow([repr(text) for text in texts])
print(json.dumps(out.getvalue()))`
    const texts = TEXTS.map(([text]) => text)
    const {stdout} = spawnSync('python3', ['-c', program], {input: JSON.stringify(texts), encoding: 'utf8'})
    expect(lineOf(texts.map(pythonRepr))).toBe(JSON.parse(stdout))
  })

  it('are read as they were written', () => {
    for (const cells of [TEXTS.map(([, cell]) => cell), ['', ''], ['1'], ['', 'a;b', '"', '""', ';;']])
      expect(cellsOf(lineOf(cells))).toEqual(cells)
  })

  it('have times as OpenMSIStream has them', () => {
    expect(dateCell(new Date(2025, 6, 31, 13, 0, 5).getTime())).toBe(`'Thu Jul 31, 2025 at 13:00:05'`)
    expect(dateCell(new Date(2026, 3, 6, 7, 2, 8).getTime())).toBe(`'Mon Apr 06, 2026 at 07:02:08'`)
  })
})
