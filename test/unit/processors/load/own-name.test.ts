/** In processes of their own: hooks of a module loader are for ever, and only Node's own loader has them. */
import {execFile} from 'node:child_process'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {expect, it} from 'vitest'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const DIST = fileURLToPath(new URL('../../../../dist/', import.meta.url))

const PLUGINS: Record<string, string> = {
  'p.mjs': `import {StreamtoolError} from 'streamtool'\nimport {testProcessor} from 'streamtool/testing'\nexport default {name: 'x', process: () => [StreamtoolError, testProcessor]}`,
  'p.cjs': `const {StreamtoolError} = require('streamtool')\nconst {testProcessor} = require('streamtool/testing')\nmodule.exports = {name: 'x', process: () => [StreamtoolError, testProcessor]}`,
  'p.ts': `import {StreamtoolError, type Processor} from 'streamtool'\nimport {testProcessor} from 'streamtool/testing'\nconst p: Processor = {name: 'x', process: (): unknown => [StreamtoolError, testProcessor]}\nexport default p`,
}

it("import 'streamtool' is the streamtool that runs, whatever is installed beside the plugin", async () => {
  const directory = await temporaryDirectory()
  for (const [name, source] of Object.entries(PLUGINS)) await writeFile(join(directory, name), source)
  const stranger = join(directory, 'node_modules', 'streamtool')
  await mkdir(stranger, {recursive: true})
  await writeFile(join(stranger, 'package.json'), '{"name": "streamtool", "main": "index.js"}')
  await writeFile(join(stranger, 'index.js'), 'exports.StreamtoolError = class Other {}')
  const main = `
import {StreamtoolError} from '${DIST}index.js'
import {testProcessor} from '${DIST}testing/index.js'
import {loadProcessor} from '${DIST}processors/load/index.js'
for (const name of ${JSON.stringify(Object.keys(PLUGINS))}) {
  const [error, test] = (await loadProcessor('./' + name, {from: '${directory}'})).process()
  console.log(name, error === StreamtoolError, test === testProcessor)
}`
  await writeFile(join(directory, 'main.mjs'), main)
  const {stdout} = await promisify(execFile)(process.execPath, [join(directory, 'main.mjs')])
  expect(stdout.trim().split('\n')).toEqual(Object.keys(PLUGINS).map((name) => `${name} true true`))
})
