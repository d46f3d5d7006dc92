import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import type {Processor} from '../../../../src/processors/contract.js'
import {loadProcessor, type LoadOptions} from '../../../../src/processors/load/index.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

/** Files by path, in a directory of their own. */
async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await temporaryDirectory()
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), {recursive: true})
    await writeFile(join(directory, path), content)
  }
  return directory
}

async function load(
  files: Readonly<Record<string, string>>,
  spec: string,
  options: Partial<LoadOptions> = {},
): Promise<Processor> {
  const from = await directoryWith(files)
  return loadProcessor(spec, {from, member: 'process', ...options})
}

/** What a user would read: the message, then the suggestions. */
async function refusal(
  files: Readonly<Record<string, string>>,
  spec: string,
  options: Partial<LoadOptions> = {},
): Promise<string> {
  const error: unknown = await load(files, spec, options).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StreamtoolError)
  const {code, exitCode, message, suggestions} = error as StreamtoolError
  expect({code, exitCode}).toEqual({code: 'PLUGIN_UNLOADABLE', exitCode: 7})
  return [message, ...suggestions].join('\n')
}

const BODY = "{name: 'count', process() { return 'done' }}"
const ESM = `export default ${BODY}`
const CJS = `module.exports = ${BODY}`
const manifest = (facts: object) => JSON.stringify({name: 'pkg', version: '1.0.0', ...facts})

describe('a plugin is found', () => {
  const found: Record<string, [files: Record<string, string>, spec: string]> = {
    'ESM in .mjs': [{'p.mjs': ESM}, './p.mjs'],
    'a path without ./': [{'p.mjs': ESM}, 'p.mjs'],
    'CommonJS in .cjs': [{'p.cjs': CJS}, './p.cjs'],
    'CommonJS in .js': [{'p.js': CJS, 'package.json': manifest({})}, './p.js'],
    'ESM in .js of a package that says module': [
      {'p.js': ESM, 'package.json': manifest({type: 'module'})},
      './p.js',
    ],
    'ESM in .js of a package that says nothing': [{'p.js': ESM, 'package.json': manifest({})}, './p.js'],
    'ESM in .js of a package that says commonjs': [
      {
        'p.js': `import './q.js'\n${ESM}`,
        'q.js': 'export const q = 1',
        'package.json': manifest({type: 'commonjs'}),
      },
      './p.js',
    ],
    'ESM in .js without any package': [{'p.js': ESM}, './p.js'],
    'CommonJS that requires ESM in disguise': [
      {
        'p.cjs': `require('./q.js')\n${CJS}`,
        'q.js': 'export const q = 1',
        'package.json': manifest({type: 'commonjs'}),
      },
      './p.cjs',
    ],
    TypeScript: [
      {
        'p.ts': `import {done} from './q.js'\nenum E { A }\nconst n: number = E.A\nexport default {name: 'count', process: (): string => done(n)}`,
        'q.ts': `export const done = (n: number): string => n === 0 ? 'done' : 'no'`,
      },
      './p.ts',
    ],
    'TypeScript as CommonJS': [{'p.cts': `const n: number = 1\nmodule.exports = ${BODY}`}, './p.cts'],
    'JavaScript that imports TypeScript': [
      {
        'p.mjs': `import {x} from './q.ts'\nexport default {name: 'count', process: () => x}`,
        'q.ts': `export const x: string = 'done'`,
      },
      './p.mjs',
    ],
    'CommonJS compiled from ESM': [
      {'p.cjs': `Object.defineProperty(exports, '__esModule', {value: true})\nexports.default = ${BODY}`},
      './p.cjs',
    ],
    'an export named processor': [{'p.mjs': `export const processor = ${BODY}`}, './p.mjs'],
    'exports.processor': [{'p.cjs': `exports.processor = ${BODY}`}, './p.cjs'],
    'an instance of a class': [
      {'p.mjs': `class P { name = 'count'; state = 1; process() { return 'done' } }\nexport default new P()`},
      './p.mjs',
    ],
    'a package with main': [
      {'node_modules/pkg/main.js': CJS, 'node_modules/pkg/package.json': manifest({main: './main.js'})},
      'pkg',
    ],
    'a package with nothing but ESM': [
      {
        'node_modules/pkg/main.js': ESM,
        'node_modules/pkg/package.json': manifest({type: 'module', exports: {import: './main.js'}}),
      },
      'pkg',
    ],
    'a package with nothing but require': [
      {
        'node_modules/pkg/main.js': CJS,
        'node_modules/pkg/package.json': manifest({exports: {require: './main.js'}}),
      },
      'pkg',
    ],
    'a scoped package with a path': [
      {
        'node_modules/@lab/pkg/main.js': ESM,
        'node_modules/@lab/pkg/package.json': manifest({
          name: '@lab/pkg',
          type: 'module',
          exports: {'./count': './main.js'},
        }),
      },
      '@lab/pkg/count',
    ],
    'a package in a directory': [
      {'pkg/src/main.ts': ESM, 'pkg/package.json': manifest({type: 'module', exports: './src/main.ts'})},
      './pkg',
    ],
    'a package in a directory, by main': [
      {'pkg/main.js': CJS, 'pkg/package.json': manifest({main: 'main.js'})},
      './pkg/',
    ],
  }
  for (const [what, [files, spec]] of Object.entries(found)) {
    it(what, async () => {
      const processor = await load(files, spec)
      expect(processor.name).toBe('count')
      expect(processor.process?.({} as never, {} as never)).toBe('done')
    })
  }

  it('in the working directory before what was installed as a plugin', async () => {
    const plugins = await directoryWith({
      'node_modules/mine/index.js': "module.exports = {name: 'installed', process() {}}",
      'node_modules/mine/package.json': manifest({}),
      'node_modules/theirs/index.js': "module.exports = {name: 'installed', process() {}}",
      'node_modules/theirs/package.json': manifest({}),
    })
    const local = {
      'node_modules/mine/index.js': "module.exports = {name: 'local', process() {}}",
      'node_modules/mine/package.json': manifest({}),
    }
    expect((await load(local, 'mine', {also: [plugins]})).name).toBe('local')
    expect((await load(local, 'theirs', {also: [plugins]})).name).toBe('installed')
  })

  it('by a built-in name, whatever package has it', async () => {
    const files = {
      'node_modules/summer/index.js': "module.exports = {name: 'stranger', process() {}}",
      'node_modules/summer/package.json': manifest({}),
    }
    const builtins = new Map([['summer', {load: () => Promise.resolve({name: 'summer', process: () => 1})}]])
    expect((await load(files, 'summer', {builtins})).name).toBe('summer')
    expect(await refusal(files, 'summer', {builtins, member: 'transform'})).toContain(
      '`transform` is missing',
    )
  })

  it('through a symbolic link', async () => {
    const directory = await directoryWith({'real/p.mjs': ESM})
    await symlink(join(directory, 'real/p.mjs'), join(directory, 'link.mjs'))
    expect((await loadProcessor('./link.mjs', {from: directory})).name).toBe('count')
  })
})

describe('a plugin that is not there', () => {
  it('a path: the nearest name beside it', async () => {
    expect(await refusal({'plots/xrd-plot.mjs': ESM}, './plots/xrd-plto.mjs')).toContain(
      'Did you mean ./plots/xrd-plot.mjs?',
    )
  })
  it('a path without extension', async () => {
    expect(await refusal({'xrd.ts': ESM}, './xrd')).toContain('Did you mean ./xrd.ts?')
  })
  it('a name: what is built in or installed and nearly called so, and where it was looked for', async () => {
    const files = {'node_modules/@lab/xrd-plot/package.json': manifest({})}
    const builtins = new Map([
      ['checksum-manifest', {load: () => Promise.reject(new Error('not asked for'))}],
    ])
    const words = await refusal(files, '@lab/xrd-polt', {builtins})
    expect(words).toContain('Did you mean @lab/xrd-plot?')
    expect(words).toContain('Built in: checksum-manifest')
    expect(words).toMatch(/Looked in .*node_modules/)
    expect(await refusal({}, 'checksum-manifst', {builtins})).toContain('Did you mean checksum-manifest?')
  })
  it('a file written as a name', async () => {
    expect(await refusal({'xrd.ts': ESM}, 'xrd')).toContain('--plugin ./xrd.ts')
  })
  it('a package that was not built', async () => {
    const files = {'node_modules/pkg/package.json': manifest({type: 'module', exports: './dist/index.js'})}
    expect(await refusal(files, 'pkg')).toMatch(
      /entry file cannot be found[^]*dist\/index\.js[^]*npm run build/,
    )
  })
  it('a path that a package does not export', async () => {
    const files = {
      'node_modules/pkg/main.js': ESM,
      'node_modules/pkg/package.json': manifest({type: 'module', exports: './main.js'}),
    }
    expect(await refusal(files, 'pkg/inner')).toContain('does not export that path')
  })
  it('a package.json that is none', async () => {
    expect(await refusal({'node_modules/pkg/package.json': '{"name": '}, 'pkg')).toMatch(
      /package\.json that cannot be read/,
    )
  })
  it('a program of another kind', async () => {
    expect(await refusal({'analyse.py': 'pass'}, './analyse.py')).toContain(
      "--exec 'python3 analyse.py {path}'",
    )
  })
})

describe('what a plugin exports', () => {
  const wrong: Record<string, [source: string, ...words: string[]]> = {
    'nothing at all': ['const x = 1', 'has no default export', 'export default {name:'],
    'by name only': [
      'export const name = "x"\nexport const process = () => 1',
      'has no default export',
      'It exports name, process: put what belongs to the processor into one object.',
    ],
    'a class': ['export default class Xrd { process() {} }', 'exports a class', 'export default new Xrd()'],
    'a function': ['export default async function (file) {}', 'exports a function', 'as its `process`'],
    'a promise': [`export default Promise.resolve(${BODY})`, 'exports a promise', 'Await it'],
    'a text': ['export default "x"', 'exports a string', 'export default {name:'],
    null: ['export default null', 'exports null'],
    'an array': [`export default [${BODY}]`, 'exports an array'],
    'no process': ["export default {name: 'x'}", '`process` is missing', 'async process(file, context)'],
    'a transform where process is wanted': [
      "export default {name: 'x', transform() {}}",
      '`process` is missing',
      'streamtool passthrough --plugin',
    ],
    'a member of another type': [
      "export default {name: 'x', process: 'analyse', description: 5}",
      '`process` is a string',
      'Write: async process(file, context)',
      '`description` is a number',
    ],
    'no name': ['export default {process() {}}', '`name` is missing'],
    'a name that is none': [
      "export default {name: 'My Plot', process() {}}",
      "`name` is 'My Plot'",
      'Lower-case',
    ],
    'a member misspelt': [
      "export default {name: 'x', proces() {}}",
      '`process` is missing',
      'Instead of `proces`, did you mean `process`?',
    ],
    'a member that throws when it is looked at': [
      "export default {name: 'x', get process() { throw new TypeError('no licence') }}",
      'threw when its members were looked at: no licence',
      'p.mjs:1',
      'as plain values',
    ],
    'nothing but traps': [
      "export default new Proxy({}, {get() { throw 'trapped' }})",
      "threw when its members were looked at: it threw 'trapped'",
    ],
    'nothing, since it exits': ['process.exit(0)', 'threw while it was loaded: it called process.exit(0)'],
    'nothing, since it exits by a name of its own': [
      "import {exit} from 'node:process'\nexit(3)",
      'threw while it was loaded: it called process.exit(3)',
    ],
    'state among the members': [
      "export default {name: 'x', process() {}, cache: new Map()}",
      '`cache` is no member of a processor',
      'variables beside it',
    ],
  }
  for (const [what, [source, ...words]] of Object.entries(wrong)) {
    it(what, async () => {
      const said = await refusal({'p.mjs': source}, './p.mjs')
      for (const word of words) expect(said).toContain(word)
    })
  }

  it('nothing, from CommonJS', async () => {
    expect(await refusal({'p.cjs': 'const x = 1'}, './p.cjs')).toContain('has no default export')
  })
})

describe('a flag that cannot be one', () => {
  const wrong: Record<string, [flags: string, ...words: string[]]> = {
    'flags that are a list': ["['a']", '`flags` is an array'],
    'written with a dash': [
      "{'noise-floor': {type: 'number'}}",
      '`noise-floor` cannot be written so',
      'noiseFloor',
    ],
    'no object': ['{x: 5}', 'the flag `x` is a number'],
    'no type': ['{x: {default: 5}}', 'the flag `x` has no type', "{type: 'number'}"],
    'another type': ["{x: {type: 'integer'}}", "has the type 'integer'"],
    'a default of another type': [
      "{x: {type: 'number', default: '5'}}",
      "has the default '5'",
      'is to be a number',
    ],
    'a default that is no number': ["{x: {type: 'number', default: NaN}}", 'has the default NaN'],
    'choices that are none': ["{x: {type: 'string', choices: 'fast'}}", "has the choices 'fast'"],
    'a default beside its choices': [
      "{x: {type: 'string', choices: ['fast', 'exact'], default: 'slow'}}",
      'none of its choices',
      'fast and exact',
    ],
    'bounds the wrong way round': ["{x: {type: 'number', min: 5, max: 1}}", 'min above its max'],
    'a default outside of its bounds': ["{x: {type: 'number', min: 5, default: 1}}", 'outside of its bounds'],
    'required beside a default': [
      "{x: {type: 'string', required: true, default: 'a'}}",
      'required and has a default',
    ],
    'a fact misspelt': ["{x: {type: 'number', defualt: 5}}", 'Instead of `defualt`, did you mean `default`?'],
    'bounds of a text': ["{x: {type: 'string', min: 5}}", 'has `min`'],
    'the name of a built-in one': [
      "{chunkSize: {type: 'number'}}",
      'shadows one of streamtool',
      'myChunkSize',
    ],
    'the name of a help flag': ["{help: {type: 'boolean'}}", 'shadows one of streamtool'],
    'the negation of a built-in one': ["{noChunkSize: {type: 'boolean'}}", 'shadows one of streamtool'],
    'the negation of its own': [
      "{plot: {type: 'boolean'}, noPlot: {type: 'boolean'}}",
      'the flag `noPlot` shadows another of its own',
    ],
  }
  for (const [what, [flags, ...words]] of Object.entries(wrong)) {
    it(what, async () => {
      const source = `export default {name: 'x', flags: ${flags}, process() {}}`
      const said = await refusal({'p.mjs': source}, './p.mjs', {reservedFlags: ['topic', 'chunkSize']})
      for (const word of words) expect(said).toContain(word)
    })
  }

  it('several mistakes are told at once', async () => {
    const said = await refusal(
      {'p.mjs': "export default {nmae: 'x', flags: {a: {type: 'text'}, b: {}}, process() {}}"},
      './p.mjs',
    )
    for (const word of ['`name` is missing', '`nmae`', 'the flag `a`', 'the flag `b`'])
      expect(said).toContain(word)
  })

  it('and all kinds that can be', async () => {
    const flags = `{a: {type: 'string', choices: ['x', 'y'], default: 'x'}, noiseFloor: {type: 'number', default: 5, min: 0, max: 10}, plot: {type: 'boolean'}, id: {type: 'string', required: true, description: 'an id'}}`
    const processor = await load(
      {'p.mjs': `export default {name: 'x', flags: ${flags}, process() {}}`},
      './p.mjs',
    )
    expect(Object.keys(processor.flags ?? {})).toEqual(['a', 'noiseFloor', 'plot', 'id'])
  })
})

describe('a plugin that cannot be imported', () => {
  it('throws: its message and where in its own code', async () => {
    const source = `function deep() {\n  throw new TypeError('no such lens')\n}\ndeep()\nexport default ${BODY}`
    const said = await refusal({'p.mjs': source}, './p.mjs')
    expect(said).toContain('threw while it was loaded: TypeError: no such lens')
    expect(said).toMatch(/at deep \(.*p\.mjs:2:9\)/)
  })
  it('throws in TypeScript: the line of the source', async () => {
    const said = await refusal({'p.ts': `const n: number = 1\n\nthrow new Error('no ' + n)`}, './p.ts')
    expect(said).toMatch(/threw while it was loaded: no 1[^]*p\.ts:3:7/)
  })
  it('throws something that is no error', async () => {
    expect(await refusal({'p.mjs': `throw {code: 5}`}, './p.mjs')).toContain('it threw { code: 5 }')
  })
  for (const name of ['p.mjs', 'p.cjs', 'p.ts'])
    it(`has a syntax error in ${name}: file and line`, async () => {
      const said = await refusal({[name]: `const fine = 1\nconst broken = ;\n`}, `./${name}`)
      expect(said).toMatch(new RegExp(`cannot be parsed: .*\\(.*${name.replace('.', '\\.')}:2`))
    })
  it('imports what a file does not export', async () => {
    const files = {'p.mjs': `import {lens} from './q.mjs'\n${ESM}`, 'q.mjs': 'export const other = 1'}
    expect(await refusal(files, './p.mjs')).toMatch(/cannot be parsed: .*lens.*p\.mjs/)
  })
  it('imports a package that is not installed', async () => {
    for (const [name, source] of [
      ['p.mjs', `import 'no-such-package-of-ours'\n${ESM}`],
      ['p.cjs', `require('no-such-package-of-ours')\n${CJS}`],
      ['p.ts', `import 'no-such-package-of-ours'\n${ESM}`],
    ] as const) {
      const said = await refusal({[name]: source}, `./${name}`)
      expect(said).toContain('imports the package no-such-package-of-ours, which is not installed')
      expect(said).toMatch(/In .*streamtool-test-\w+: npm install no-such-package-of-ours/)
    }
  })
  it('imports a file without its extension', async () => {
    const said = await refusal({'p.mjs': `import './helper'\n${ESM}`, 'helper.mjs': ''}, './p.mjs')
    expect(said).toMatch(/imports .*helper, which is not there[^]*Did you mean helper\.mjs\?/)
  })
})

it('a plugin that throws null while it is loaded is not blamed with an error of ours', async () => {
  expect(await refusal({'p.mjs': 'throw null'}, './p.mjs')).toMatch(
    /threw while it was loaded: it threw null/,
  )
})
