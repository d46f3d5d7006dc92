import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {testProcessor} from 'streamtool/testing'
import processor from '../src/index.js'

test('counts lines, and writes the count below the directory of the file', async () => {
  const run = await testProcessor(processor, {'notes/a.txt': 'one\n\ntwo\n'})
  const [file] = run.files
  assert.equal(file?.outcome, 'processed')
  assert.deepEqual(file.returned, {path: 'notes/a.txt', size: 9, lines: 3})
  const written = await readFile(join(run.outputDir, 'notes', 'a.txt.lines.json'), 'utf8')
  assert.deepEqual(JSON.parse(written), file.returned)
})

test('--skip-empty', async () => {
  const run = await testProcessor(processor, {'a.txt': 'one\n\ntwo\n'}, {options: {skipEmpty: true}})
  assert.deepEqual(
    run.files.map(({returned}) => returned),
    [{path: 'a.txt', size: 9, lines: 2}],
  )
})
