/** What scripts rely on: exit codes, what stdout holds, errors as objects. Through the real bin/run.js. */
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {streamtool} from '../support/cli.js'
import {temporaryDirectory} from '../support/temporary-directory.js'

interface ErrorObject {
  schema: 1
  command: string | null
  error: {code: string; message: string; exitCode: number; suggestions: string[]}
}

/** Without the settings of whoever runs the tests, and away from their files. */
async function cleanPlace() {
  const cwd = await temporaryDirectory()
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STREAMTOOL_'))
  return {cwd, env: {...Object.fromEntries(inherited), HOME: cwd, XDG_CONFIG_HOME: join(cwd, '.config')}}
}

/** The same call with and without --json: the exit code must not differ. */
async function failing(args: readonly string[], extra: NodeJS.ProcessEnv = {}) {
  const {cwd, env} = await cleanPlace()
  const [plain, json] = await Promise.all([
    streamtool(args, {cwd, env: {...env, ...extra}}),
    streamtool([...args, '--json'], {cwd, env: {...env, ...extra}}),
  ])
  expect(plain.stdout).toBe('')
  expect(json.exitCode).toBe(plain.exitCode)
  const object = JSON.parse(json.stdout) as ErrorObject
  expect(object).toMatchObject({schema: 1, error: {exitCode: plain.exitCode}})
  expect(plain.stderr).toContain(object.error.message)
  expect(plain.stderr).toContain(object.error.code)
  return {...object, exitCode: plain.exitCode, printed: plain.stderr + json.stdout + json.stderr}
}

describe('help and version', () => {
  it.each([['--help'], ['-h'], ['help']])('%s lists the commands', async (flag) => {
    const {exitCode, stdout, stderr} = await streamtool([flag])
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''})
    for (const command of ['upload', 'reconstruct', 'sandbox', 'config']) expect(stdout).toContain(command)
  })

  it.each([['--version'], ['-V']])('%s', async (flag) => {
    const {version} = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await streamtool([flag])).stdout).toContain(`streamtool/${version} `)
  })

  it.each([
    [['upload']],
    [['reconstruct']],
    [['inspect']],
    [['sandbox']],
    [['config', 'explain']],
    [['config', 'validate']],
  ])('%s --help says what it does, how it ends and where settings come from', async (command) => {
    const {exitCode, stdout} = await streamtool([...command, '--help'])
    expect(exitCode).toBe(0)
    for (const heading of ['USAGE', 'DESCRIPTION', 'EXAMPLES', 'EXIT CODES', 'ENVIRONMENT', 'CONFIGURATION'])
      expect(stdout).toContain(heading)
    expect(stdout).toContain(`$ streamtool ${command.join(' ')}`)
    expect(stdout).not.toContain('<%=')
  })

  it('help COMMAND is COMMAND --help', async () => {
    const [first, second] = await Promise.all([
      streamtool(['help', 'upload']),
      streamtool(['upload', '--help']),
    ])
    expect(first.stdout).toBe(second.stdout)
  })
})

describe('usage errors exit with 2, suggest, and repeat no value', () => {
  it('an unknown flag', async () => {
    const {error, exitCode, printed, command} = await failing([
      'upload',
      'x',
      '--topc=hunter2',
      '--topic',
      't',
    ])
    expect({exitCode, command, code: error.code}).toEqual({exitCode: 2, command: 'upload', code: 'USAGE'})
    expect(error.suggestions).toContain('Instead of --topc, did you mean --topic?')
    expect(printed).not.toContain('hunter2')
  })

  it('an unknown command', async () => {
    const {error, exitCode, command} = await failing(['uplaod', 'x'])
    expect({exitCode, command, code: error.code}).toEqual({exitCode: 2, command: null, code: 'USAGE'})
    expect(error.message).toContain('did you mean upload?')
    const far = await failing(['hunter2', 'x'])
    expect(far.printed).not.toContain('hunter2')
    const help = await streamtool(['uplaod', '--help'])
    expect(help.exitCode).toBe(2)
    expect(help.stderr).toContain('did you mean upload?')
  })

  it.each([
    ['too many arguments', ['reconstruct', 'hunter2']],
    ['a flag without its value', ['upload', 'hunter2', '--topic']],
    ['no input', ['upload', '--topic', 't', '--brokers', 'b']],
    ['standard input without a name', ['upload', '-', '--topic', 't', '--brokers', '127.0.0.1:1']],
    ['a value for a switch', ['upload', 'x', '--events=hunter2']],
    ['nothing after --', ['sandbox', '--']],
  ])('%s', async (_, args) => {
    const {cwd, env} = await cleanPlace()
    // Before a `--`, as it ends the flags.
    const withJson = [args[0]!, '--json', ...args.slice(1)]
    const plain = await streamtool(args, {cwd, env})
    const json = await streamtool(withJson, {cwd, env})
    expect([plain.exitCode, json.exitCode]).toEqual([2, 2])
    expect(JSON.parse(json.stdout)).toMatchObject({error: {code: 'USAGE', exitCode: 2}})
    expect(plain.stderr + json.stdout + json.stderr).not.toContain('hunter2')
  })

  it('missing brokers and topic: names every way to say it', async () => {
    const {error, exitCode, printed} = await failing(['reconstruct', '--output', 'out'])
    expect({exitCode, code: error.code}).toEqual({exitCode: 2, code: 'SETTING_MISSING'})
    for (const way of [
      '--brokers',
      'STREAMTOOL_BROKERS',
      '`brokers:',
      '--topic',
      'STREAMTOOL_TOPIC',
      '`topic:',
    ])
      expect(printed).toContain(way)
    expect(printed).toContain('streamtool sandbox')
    expect(printed).toContain('/etc/streamtool')
  })

  it('a wrong value, in a flag and in a variable', async () => {
    const flag = await failing(['upload', 'x', '--chunk-size', 'hunter2'])
    expect(flag.error).toMatchObject({code: 'SETTING_INVALID', exitCode: 2})
    expect(flag.error.message).toContain('--chunk-size')
    const variable = await failing(['upload', 'x'], {STREAMTOOL_LOG_LEVEL: 'hunter2'})
    expect(variable.error.message).toContain('STREAMTOOL_LOG_LEVEL')
    expect(flag.printed + variable.printed).not.toContain('hunter2')
  })

  it('a client option that is refused', async () => {
    const {error} = await failing(['upload', 'x', '-X', 'enable.auto.commit=true'])
    expect(error).toMatchObject({code: 'CLIENT_OPTION_UNSUPPORTED', exitCode: 2})
  })

  it('with --events, the error is in the last event', async () => {
    const {cwd, env} = await cleanPlace()
    const {stdout, exitCode} = await streamtool(['upload', 'x', '--events'], {cwd, env})
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      event: 'finished',
      error: {code: 'SETTING_MISSING', exitCode: 2},
    })
  })
})

describe('a broker that is not there', () => {
  it('exits with 3 and masks the password', async () => {
    const {error, exitCode, printed} = await failing(
      ['upload', '.', '--topic', 't', '--brokers', '127.0.0.1:1', '--log-level', 'debug'],
      {
        STREAMTOOL_SASL_PASSWORD: 'hunter2',
        STREAMTOOL_SASL_USERNAME: 'me',
        STREAMTOOL_OUTAGE_TOLERANCE: '1s',
      },
    )
    expect({exitCode, code: error.code}).toEqual({exitCode: 3, code: 'BROKER_UNREACHABLE'})
    expect(printed).not.toContain('hunter2')
  })
})

describe('config', () => {
  it('explain says value, source and what was overridden, and masks secrets', async () => {
    const {cwd, env} = await cleanPlace()
    await writeFile(join(cwd, 'streamtool.config.yaml'), 'topic: filed\nsasl-password: hunter2\n')
    const args = ['config', 'explain', 'upload']
    const options = {cwd, env: {...env, STREAMTOOL_TOPIC: 'variable'}}
    const [text, json] = await Promise.all([
      streamtool(args, options),
      streamtool([...args, '--json'], options),
    ])
    expect([text.exitCode, json.exitCode]).toEqual([0, 0])
    expect(text.stdout).toMatch(/^topic +variable {2}\(STREAMTOOL_TOPIC\)\n +overrode filed {2}\(topic in /m)
    expect(text.stdout).toMatch(/^sasl-password +\*\*\* /m)
    expect(text.stdout + json.stdout).not.toContain('hunter2')
    expect(JSON.parse(json.stdout)).toMatchObject({
      schema: 1,
      command: 'upload',
      file: join(cwd, 'streamtool.config.yaml'),
    })
  })

  it('validate checks every command', async () => {
    const {cwd, env} = await cleanPlace()
    const file = join(cwd, 'streamtool.config.yaml')
    await writeFile(file, 'topic: t\nreconstruct: {incomplete-after: 5m}\n')
    expect(await streamtool(['config', 'validate'], {cwd, env})).toMatchObject({
      exitCode: 0,
      stdout: `${file} is valid.\n`,
    })
    await writeFile(file, 'topic: t\nreconstruct: {incomplete-after: 5}\n')
    const {exitCode, stderr} = await streamtool(['config', 'validate'], {cwd, env})
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`reconstruct.incomplete-after in ${file} must be a duration`)
  })
})

describe('an output directory', () => {
  it('cannot make streamtool execute what was delivered to it', async () => {
    const {cwd, env} = await cleanPlace()
    const trace = join(cwd, 'executed')
    await mkdir(join(cwd, 'out', '.config'), {recursive: true})
    await mkdir(join(cwd, 'out', '.streamtool'))
    const code = `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`
    for (const name of ['.config/config.js', '.config/streamtoolrc.js', 'streamtool.config.js'])
      await writeFile(join(cwd, 'out', name), code)
    await writeFile(join(cwd, 'out', '.streamtoolrc'), 'brokers: evil:9092\ntopic: evil\n')
    const {exitCode, stderr} = await streamtool(['upload', 'x'], {cwd: join(cwd, 'out'), env})
    expect(exitCode).toBe(2)
    expect(stderr).toContain('SETTING_MISSING')
    await expect(readFile(trace)).rejects.toThrow('ENOENT')
  })
})

describe('process: a plugin that ends the process', () => {
  it.each([
    ['while it is loaded', 'process.exit(0)', 'PLUGIN_UNLOADABLE', 'process.exit(0)'],
    [
      'in a timer, from where nothing leads to the plugin',
      "setTimeout(process.exit.bind(process), 100, 3); export default {name: 'exits', process() {}}",
      'PLUGIN_LATE_ERROR',
      'process.exit()',
    ],
  ])('%s has an exit code of ours, and an object with --json', async (_, plugin, error, words) => {
    const {cwd, env} = await cleanPlace()
    await writeFile(join(cwd, 'exits.mjs'), plugin)
    const args = ['process', '--topic', 't', '--brokers', '127.0.0.1:1', '--plugin', './exits.mjs']
    const {exitCode, stdout, stderr} = await streamtool([...args, '--json'], {cwd, env})
    expect(exitCode).toBe(7)
    expect(stderr).toContain(words)
    expect(JSON.parse(stdout)).toMatchObject({command: 'process', error: {code: error, exitCode: 7}})
  })
})
