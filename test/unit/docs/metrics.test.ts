import {readFile} from 'node:fs/promises'
import {expect, it} from 'vitest'
import {HELP} from '../../../src/adapters/http/metrics.js'
import {RunWatch} from '../../../src/cli/run-watch.js'

it('docs/operations.md has every metric, in the words that scrapers get', async () => {
  const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  for (const [name, help] of Object.entries(HELP))
    expect(page).toMatch(
      new RegExp(
        `\\| \`streamtool_${name.replaceAll('.', '_')}(_total)?\` \\| ${help.replaceAll(/[().]/g, '\\$&')} \\|`,
      ),
    )
})

it('what is counted of file commands has words', () => {
  const broker = {reachable: null, checkedMs: null, reason: null}
  const run = new RunWatch({
    nowMs: () => 0,
    broker: () => broker,
    signal: new AbortController().signal,
    stop: () => undefined,
  })
  run.watch(() => ({
    phase: '',
    filesDone: 0,
    filesTotal: null,
    bytesDone: 0,
    bytesTotal: null,
    filesOpen: 0,
    currentPath: null,
  }))
  run.sees({recordsRead: () => 0, partitions: () => null, oldestOpenMs: () => null})
  run.event({event: 'committed', partitions: []})
  const {counts, levels} = run.status()
  for (const name of [...Object.keys(counts), ...Object.keys(levels)])
    expect(HELP).toHaveProperty([name.replaceAll('_', '.')])
})
