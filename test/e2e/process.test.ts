/** `process` as people and scripts use it, through the real bin/run.js: what is told, remembered, and exited with. */
import {spawn} from 'node:child_process'
import {readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {DeliverReport} from '../../src/core/report.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {eventually} from '../support/eventually.js'
import {collect, diesWithUs, ended} from '../support/processes.js'
import {callsOf, writeNotingProcessor} from '../support/processors.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {readTree, seededBytes, writeTree} from '../support/trees.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

interface Place {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly plugin: string
  readonly output: string
}

/** A directory with a processor, where nothing is set but the brokers; and files on the topic. */
async function place(topic: string, files: Readonly<Record<string, string | Buffer>>): Promise<Place> {
  const cwd = await newDirectory()
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STREAMTOOL_'))
  const env = {
    ...Object.fromEntries(inherited),
    HOME: cwd,
    STREAMTOOL_BROKERS: broker.bootstrap,
    STREAMTOOL_STATE_DIR: join(cwd, 'state'),
  }
  const plugin = await writeNotingProcessor(cwd)
  await writeTree(join(cwd, 'in'), files)
  if (Object.keys(files).length > 0)
    await streamtoolJson(['upload', join(cwd, 'in'), '--topic', topic], {env})
  return {cwd, env, plugin, output: join(cwd, 'noting-output')}
}

async function once({cwd, env}: Place, args: readonly string[]) {
  const {exitCode, stdout, stderr} = await streamtool(['process', '--once', '--json', ...args], {cwd, env})
  return {
    exitCode,
    stderr,
    report: JSON.parse(stdout) as DeliverReport & {error: {code: string; message: string}},
  }
}

const names = (count: number): string[] => Array.from({length: count}, (_, index) => `${index + 1}.txt`)
const contents = (files: readonly string[]) =>
  Object.fromEntries(files.map((file) => [file, `content of ${file}`]))

describe.concurrent('process', {timeout: 240_000}, () => {
  it('holds every third file, with its reason; the next start tries these alone, and goes on counting', async () => {
    const files = names(9)
    const at = await place('thirds', contents(files))
    const args = [
      '--topic',
      'thirds',
      '--plugin',
      './noting.mjs',
      '--attempts',
      '2',
      '--attempt-delay',
      '10ms',
    ]
    const first = await once(at, [...args, '--fail-thirds'])
    expect(first.exitCode).toBe(4)
    expect(first.report.files).toMatchObject({delivered: 6, failed: 3, held: 3})
    expect(first.report.problems.map(({path}) => path).sort()).toEqual(['3.txt', '6.txt', '9.txt'])
    expect(first.report.problems[0]).toMatchObject({outcome: 'held', code: 'PROCESSING_FAILED'})
    expect(first.report.problems[0]!.reason).toMatch(/number \d is a third/)
    expect(first.report.group).toBe((await readFile(join(at.output, '.streamtool/group'), 'utf8')).trim())

    const second = await once(at, args)
    expect(second.stderr).toContain('Processed 3 files')
    expect(second).toMatchObject({
      exitCode: 0,
      report: {group: first.report.group, files: {delivered: 3, held: 0}},
    })
    const ends = (await callsOf(at.output)).filter(({phase}) => phase === 'end')
    expect(ends.map(({path}) => path).sort()).toEqual(files)
    expect(
      ends
        .filter(({attempt}) => attempt === 3)
        .map(({path}) => path)
        .sort(),
    ).toEqual(['3.txt', '6.txt', '9.txt'])
  })

  it('hands over the same bytes in every mode, and leaves files behind only when they are to be kept', async () => {
    const files = {'empty.dat': '', 'small/1.txt': 'one', 'large/2.raw': seededBytes(2, 3 << 20)}
    const at = await place('modes', files)
    const runs: Record<string, unknown>[] = []
    for (const mode of ['memory', 'disk', 'both', 'auto']) {
      const output = join(at.cwd, mode)
      const keep = mode === 'disk' ? ['--keep-files'] : []
      const {exitCode} = await once(at, [
        ...['--topic', 'modes', '--plugin', at.plugin, '--output', output, '--mode', mode, ...keep],
      ])
      expect(exitCode).toBe(0)
      const ends = (await callsOf(output)).filter(({phase}) => phase === 'end')
      runs.push(Object.fromEntries(ends.map(({path, sha512}) => [path, sha512])))
      const kept = Object.keys(await readTree(output)).filter((file) => file !== 'calls.jsonl')
      expect(kept.sort()).toEqual(mode === 'disk' ? Object.keys(files).sort() : [])
    }
    expect(Object.keys(runs[0]!).sort()).toEqual(Object.keys(files).sort())
    for (const run of runs) expect(run).toEqual(runs[0])
    const [original, kept] = [join(at.cwd, 'in/large/2.raw'), join(at.cwd, 'disk/large/2.raw')]
    expect(Math.abs((await stat(kept)).mtimeMs - (await stat(original)).mtimeMs)).toBeLessThan(1)
    expect((await readFile(kept)).equals(files['large/2.raw'])).toBe(true)
  })

  it('takes plugin and options from the configuration, variables and flags, the stronger first', async () => {
    const at = await place('options', contents(['1.txt']))
    await writeFile(
      join(at.cwd, 'streamtool.config.yaml'),
      'topic: options\nprocess:\n  plugin: ./noting.mjs\n  logLevel: debug\n  options:\n    label: fancy\n    sleep-ms: 1\n',
    )
    const seen = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const run = await once({...at, env: {...at.env, ...env}}, [
        '--from-beginning',
        '--generations',
        'all',
        ...args,
      ])
      return /options=(\{.*?\})/.exec(run.stderr)?.[1]
    }
    expect(await seen(['--output', './a'])).toContain('"sleepMs":1,"label":"Fancy"')
    expect(await seen(['--output', './b'], {STREAMTOOL_SLEEP_MS: '2'})).toContain(
      '"sleepMs":2,"label":"Fancy"',
    )
    expect(await seen(['--output', './c', '--sleep-ms', '3'], {STREAMTOOL_SLEEP_MS: '2'})).toContain(
      '"sleepMs":3',
    )
    const {stdout} = await streamtool(['config', 'explain', 'process'], at)
    expect(stdout).toMatch(/options +label=fancy, sleep-ms=1 +\(process\.options in /)
  })

  it('shows the flags of a plugin in --help', async () => {
    const at = await place('unused', {})
    const {exitCode, stdout} = await streamtool(['process', '--plugin', './noting.mjs', '--help'], at)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/--sleep-ms=N +how long it takes over each file \[0\]/)
    expect(stdout).toContain('--label=Plain|Fancy')
  })

  it('shows the built-in processors without any setting', async () => {
    const {exitCode, stdout} = await streamtool(['process', '--list', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      processors: [{name: 'checksum-manifest'}, {name: 'json-metadata'}],
    })
  })

  it('refuses what does not go together, before anything is connected to', async () => {
    const at = await place('unused', {})
    const noting = ['--plugin', './noting.mjs']
    const refusals: [args: readonly string[], exitCode: number, code: string, words: string][] = [
      [[], 2, 'SETTING_MISSING', 'neither a plugin nor a program'],
      [['--plugn', './noting.mjs'], 2, 'USAGE', 'process has no flag --plugn'],
      [[...noting, '--exec', 'cat'], 2, 'SETTING_INVALID', 'not both'],
      [['--plugin', './not-there.mjs'], 7, 'PLUGIN_UNLOADABLE', 'not there'],
      [[...noting, '--sleep-ms=-1'], 2, 'SETTING_INVALID', '--sleep-ms must be a number of 0 or more'],
      [[...noting, '--label', 'odd'], 2, 'SETTING_INVALID', 'must be one of Plain, Fancy'],
      [[...noting, '--sleepms', '1'], 2, 'USAGE', 'has no flag --sleepms'],
      [[...noting, '--options', 'lable=x'], 2, 'USAGE', 'has no such flag'],
      [[...noting, '--fail-thirds=yes'], 2, 'USAGE', 'takes no value'],
      [['--exec', 'cat', '--isolate', 'process'], 2, 'SETTING_INVALID', '--isolate is for plugins'],
      [['--exec', 'cat {path}', '--mode', 'memory'], 2, 'SETTING_INVALID', 'puts no file anywhere'],
      [[...noting, '--mode', 'memory', '--keep-files'], 2, 'SETTING_INVALID', '--keep-files'],
      [[...noting, '--result-topic', 't'], 2, 'SETTING_INVALID', 'the topic that is read'],
      [['--plugin', 'json-metadata'], 2, 'SETTING_INVALID', 'there is no topic for them'],
      [[...noting, '--attempts', '0'], 2, 'SETTING_INVALID', '1 or more'],
    ]
    const refused = async ([args, exitCode, code, words]: (typeof refusals)[number]) => {
      const run = await once(at, ['--topic', 't', ...args])
      expect({exitCode: run.exitCode, code: run.report.error.code}, args.join(' ')).toEqual({exitCode, code})
      expect(run.report.error.message).toContain(words)
    }
    for (let next = 0; next < refusals.length; next += 4)
      await Promise.all(refusals.slice(next, next + 4).map(refused))
  })

  it('a plugin that exits fails its file alone, is told of in the report, and does not choose the exit code', async () => {
    const at = await place('exiting', contents(['1.txt', 'caught.txt', 'good.txt']))
    const plugin = join(at.cwd, 'exiting.mjs')
    await writeFile(
      plugin,
      `import {exit} from 'node:process'
      export default {name: 'exiting', process({name}) {
        if (name === '1.txt') exit(3)
        if (name === 'caught.txt') try { process.exit(0) } catch {}
      }}`,
    )
    const args = ['--topic', 'exiting', '--plugin', plugin, '--attempts', '1']
    const {exitCode, report} = await once(at, args)
    expect(exitCode).toBe(4)
    expect(report.files).toMatchObject({delivered: 1, held: 2})
    expect(report.problems.map(({reason}) => reason).sort()).toEqual([
      expect.stringContaining('exiting failed on 1.txt: it called process.exit(3)'),
      expect.stringContaining('exiting failed on caught.txt: it called process.exit(0)'),
    ])
    await writeFile(plugin, "export default {name: 'exiting', process() {}}")
    expect(await once(at, args)).toMatchObject({exitCode: 0, report: {files: {delivered: 2, held: 0}}})
  })

  it('ends with the first failure when told so, and leaves the file for the next start', async () => {
    const at = await place('stop', contents(['3.txt']))
    const args = ['--topic', 'stop', '--plugin', at.plugin, '--on-failure', 'stop', '--attempts', '1']
    expect(await once(at, [...args, '--fail-thirds'])).toMatchObject({
      exitCode: 4,
      report: {files: {held: 1}},
    })
    expect(await once(at, args)).toMatchObject({exitCode: 0, report: {files: {delivered: 1}}})
  })

  it('lets a file that is being processed end when it is told to stop; one that takes longer is begun anew', async () => {
    const at = await place('service', contents(['1.txt']))
    const serve = (args: readonly string[]) => {
      const all = [BIN, 'process', '--topic', 'service', '--plugin', at.plugin, '--output', './out', ...args]
      const child = spawn(process.execPath, all, at)
      diesWithUs(child)
      return {child, stderr: collect(child.stderr), end: ended(child)}
    }
    const began = async (attempt: number) =>
      (await callsOf(join(at.cwd, 'out'))).some((call) => call.phase === 'begin' && call.attempt === attempt)
    const slow = serve(['--sleep-ms', '60000', '--shutdown-timeout', '3s'])
    await eventually('the first attempt has begun', () => began(1), 60_000)
    slow.child.kill('SIGTERM')
    expect(await slow.end, slow.stderr().toString()).toEqual([0, null])

    const quick = serve(['--sleep-ms', '1500'])
    await eventually('the second attempt has begun', () => began(2), 60_000)
    quick.child.kill('SIGTERM')
    expect(await quick.end, quick.stderr().toString()).toEqual([0, null])
    const ends = (await callsOf(join(at.cwd, 'out'))).filter(({phase}) => phase === 'end')
    expect(ends).toMatchObject([{path: '1.txt', attempt: 2}])
    expect(await once(at, ['--topic', 'service', '--plugin', at.plugin, '--output', './out'])).toMatchObject({
      exitCode: 0,
      report: {files: {delivered: 0}},
    })
  })
})
