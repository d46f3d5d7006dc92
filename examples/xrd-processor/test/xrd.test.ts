import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {test} from 'node:test'
import {testProcessor} from 'streamtool/testing'
import xrd from '../src/index.js'

const scan = await readFile(new URL('../../test/si.csv', import.meta.url))

test('sums a scan up, and plots it beside', async () => {
  const {files, outputDir} = await testProcessor(xrd, {'run-7/si.csv': scan}, {options: {threshold: 10}})
  assert.equal(files[0]?.outcome, 'processed')
  const summary = JSON.parse(await readFile(join(outputDir, 'run-7', 'si.json'), 'utf8'))
  assert.equal(summary.sample, 'Si 640')
  assert.deepEqual(
    summary.peaks.map((peak: {angle: number}) => peak.angle),
    [28.4, 47.2, 56.2],
  )
  assert.match(await readFile(join(outputDir, 'run-7', 'si.svg'), 'utf8'), /<polyline .*28\.40/s)
})

test('a file that is no scan fails, and says where', async () => {
  const {files} = await testProcessor(xrd, {
    'notes.csv': 'Dear diary\n',
    'broken.csv': '[Scan points]\nAngle,Intensity\n28,many\n',
  })
  assert.deepEqual(
    files.map(({outcome}) => outcome),
    ['failed', 'failed'],
  )
  assert.match(files[0]?.error?.message ?? '', /no \[Scan points\]/)
  assert.match(files[1]?.error?.message ?? '', /line 3 is no scan point/)
})

test('the name of a file is text in the picture, and nothing else', async () => {
  const {outputDir} = await testProcessor(xrd, {'<script>.csv': scan})
  assert.match(await readFile(join(outputDir, '<script>.svg'), 'utf8'), /&#60;script&#62;\.csv/)
})
