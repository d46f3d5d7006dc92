import {chmod, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises'
import {homedir, tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {reconstructSettings, uploadSettings} from '../../../../src/cli/settings/catalog.js'
import {explainSettings} from '../../../../src/cli/settings/explain.js'
import {resolvePartly, resolveSettings, type Situation} from '../../../../src/cli/settings/resolve.js'

let dir: string
let fixedDir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'settings-'))
  fixedDir = join(dir, 'etc')
})
afterEach(() => rm(dir, {recursive: true, force: true}))

const situation = (given: Partial<Situation> = {}): Situation => ({
  command: 'upload',
  flags: {},
  env: {},
  cwd: dir,
  fixedConfigDirs: [fixedDir],
  ...given,
})
const enough = {brokers: ['flag:9092'], topic: 'from-flag'}
const upload = (given: Partial<Situation> = {}) => resolveSettings(uploadSettings, situation(given))
const config = (name: string, content: string) => writeFile(join(dir, name), content)

async function refusal(promise: Promise<unknown>): Promise<StreamtoolError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof StreamtoolError) return error
  throw new Error('it was not refused', {cause: error})
}

describe('precedence', () => {
  it('is flag, variable, section of the command, top of the file, default', async () => {
    await config('streamtool.config.yaml', 'brokers: top:1\ntopic: top\nupload:\n  topic: section\n')
    const {values} = await upload()
    expect(values).toMatchObject({brokers: ['top:1'], topic: 'section', chunkSize: 524_288, json: false})
    const env = {STREAMTOOL_TOPIC: 'variable', STREAMTOOL_CHUNK_SIZE: '1MiB'}
    expect((await upload({env})).values).toMatchObject({topic: 'variable', chunkSize: 1_048_576})
    expect((await upload({env, flags: {topic: 'flag', 'chunk-size': '1KiB'}})).values).toMatchObject({
      topic: 'flag',
      chunkSize: 1024,
    })
  })

  it('takes an empty variable for none', async () => {
    const {values} = await upload({flags: enough, env: {STREAMTOOL_TOPIC: '', STREAMTOOL_LOG_LEVEL: ''}})
    expect(values.logLevel).toBe('info')
  })

  it('lets --no-json override a variable', async () => {
    const env = {STREAMTOOL_JSON: 'true'}
    expect((await upload({flags: enough, env})).values.json).toBe(true)
    expect((await upload({flags: {...enough, json: false}, env})).values.json).toBe(false)
  })

  it('reads keys written in camel case, too', async () => {
    await config(
      '.streamtoolrc',
      'brokers: [a:1, b:2]\ntopic: t\nupload: {chunkSize: 2KiB, pathPrefix: run}\n',
    )
    expect((await upload()).values).toMatchObject({
      brokers: ['a:1', 'b:2'],
      chunkSize: 2048,
      pathPrefix: 'run',
    })
  })
})

describe('what is missing', () => {
  it('is named with flag, variable, key, places searched, and the sandbox', async () => {
    const error = await refusal(upload())
    expect(error).toMatchObject({code: 'SETTING_MISSING', exitCode: 2})
    const text = [error.message, ...error.suggestions].join('\n')
    for (const word of ['--brokers', 'STREAMTOOL_BROKERS', '`brokers:', '--topic', 'STREAMTOOL_TOPIC'])
      expect(text).toContain(word)
    expect(text).toContain(dir)
    expect(text).toContain(fixedDir)
    expect(text).toContain('streamtool sandbox')
  })

  it('is looked for only after all layers were merged', async () => {
    await config('streamtool.config.json', '{"brokers": "a:1"}')
    const {values} = await upload({env: {STREAMTOOL_TOPIC: 'variable'}})
    expect(values).toMatchObject({brokers: ['a:1'], topic: 'variable'})
    expect((await refusal(upload())).message).toBe('upload needs topic, which was given nowhere.')
  })
})

describe('a wrong value', () => {
  it.each([
    ['chunk-size', 'sekret', 'must be a size'],
    ['outage-tolerance', '30', 'must be a duration'],
    ['log-level', 'inof', 'did you mean info?'],
    ['metadata', ['sekret'], 'must be written KEY=VALUE'],
  ])('of --%s is refused without repeating it', async (flag, value, reason) => {
    const error = await refusal(upload({flags: {...enough, [flag]: value}}))
    expect(error.code).toBe('SETTING_INVALID')
    expect(error.message).toContain(`--${flag} `)
    expect(error.message).toContain(reason)
    expect(JSON.stringify(error)).not.toContain('sekret')
  })

  it('names the key and the file it is in', async () => {
    await config('streamtool.config.yaml', 'upload: {memory: lots}\n')
    const error = await refusal(upload({flags: enough}))
    expect(error.message).toContain(`upload.memory in ${join(dir, 'streamtool.config.yaml')} must be a size`)
  })

  it('is a number where YAML would have changed a password', async () => {
    await config('streamtool.config.yaml', 'sasl-password: 0123\n')
    const error = await refusal(upload({flags: enough}))
    expect(error.message).toContain('put it in quotes')
  })
})

describe('the configuration file', () => {
  it('is searched for upwards, then in the fixed places; the nearest wins', async () => {
    const cwd = join(dir, 'a', 'b')
    await mkdir(cwd, {recursive: true})
    await mkdir(fixedDir)
    await writeFile(join(fixedDir, 'config.yaml'), 'topic: fixed\n')
    expect((await upload({cwd, flags: {brokers: ['x']}})).values.topic).toBe('fixed')
    await writeFile(join(dir, 'a', 'streamtool.config.yml'), 'topic: above\n')
    const {values, file} = await upload({cwd, flags: {brokers: ['x']}})
    expect(values.topic).toBe('above')
    expect(file?.filepath).toBe(join(dir, 'a', 'streamtool.config.yml'))
  })

  it('makes relative paths relative to itself, and knows the home directory', async () => {
    await mkdir(join(dir, 'deep'))
    await config('streamtool.config.yaml', 'reconstruct: {output: received}\ntls-ca: ~/ca.pem\n')
    const {values} = await resolveSettings(
      reconstructSettings,
      situation({command: 'reconstruct', cwd: join(dir, 'deep'), flags: {...enough, 'tls-cert': 'c.pem'}}),
    )
    expect(values.output).toBe(join(dir, 'received'))
    expect(values.tlsCa).toBe(join(homedir(), 'ca.pem'))
    expect(values.tlsCert).toBe(join(dir, 'deep', 'c.pem'))
  })

  it('names unknown keys with what was probably meant', async () => {
    await config(
      'streamtool.config.yaml',
      'broker: a:1\nchunk-size: 1KiB\nupload: {chunk-sise: 1KiB}\nxyzzy: 1\n',
    )
    const error = await refusal(upload())
    expect(error.code).toBe('CONFIG_UNKNOWN_KEY')
    expect(error.message).toContain('broker, chunk-size, upload.chunk-sise, xyzzy')
    expect(error.suggestions.join('\n')).toContain('Instead of broker, did you mean brokers?')
    expect(error.suggestions.join('\n')).toContain('did you mean upload.chunk-size?')
    expect(error.suggestions.join('\n')).toContain(
      'chunk-size belongs under the name of its command: upload.chunk-size',
    )
  })

  it('says where it stops being YAML or JSON, and quotes nothing of it', async () => {
    await config('streamtool.config.yaml', 'topic: t\nsasl-password: "sekret\n')
    const yaml = await refusal(upload())
    expect(yaml.code).toBe('CONFIG_UNREADABLE')
    expect(yaml.message).toContain('line 3')
    await config('c.json', '{"sasl-password": "sekret" "topic": 1}')
    const json = await refusal(upload({flags: {config: 'c.json'}}))
    expect(json.message).toContain('character 27')
    for (const error of [yaml, json]) expect(error.message + error.suggestions.join()).not.toContain('sekret')
  })

  it('fills in variables and files, and names what is not there', async () => {
    await config('password', 'from file\n')
    await config(
      'streamtool.config.yaml',
      'brokers: "${env:HOST}:${env:PORT:-9092}"\ntopic: t\nsasl-password: "${file:password}"\n',
    )
    const {values} = await upload({env: {HOST: 'kafka'}})
    expect(values.brokers).toEqual(['kafka:9092'])
    expect(values.saslPassword?.reveal()).toBe('from file')
    const error = await refusal(upload())
    expect(error.message).toContain('brokers')
    expect(error.message).toContain('variable HOST')
  })

  it('that --config names may be a module; one that is found may not', async () => {
    await config('streamtool.config.js', 'throw new Error("executed")')
    await config('.streamtoolrc.mjs', 'throw new Error("executed")')
    await config('named.mjs', 'export default {topic: "from module"}')
    expect((await upload({flags: {brokers: ['x'], config: 'named.mjs'}})).values.topic).toBe('from module')
    expect((await refusal(upload())).code).toBe('SETTING_MISSING')
  })

  it('that --config names must be there', async () => {
    const error = await refusal(upload({flags: {...enough, config: 'nowhere.yaml'}}))
    expect(error.code).toBe('CONFIG_UNREADABLE')
    expect((await refusal(upload({flags: {...enough, config: 'x.toml'}}))).code).toBe('CONFIG_UNREADABLE')
  })
})

describe('files that others can write', () => {
  const hostile = 'brokers: evil:9092\ntopic: evil\n'

  it('are not read from an output directory, nor from below one', async () => {
    const below = join(dir, 'received', 'sub')
    await mkdir(below, {recursive: true})
    await mkdir(join(dir, 'received', '.streamtool'))
    await writeFile(join(dir, 'received', 'streamtool.config.yaml'), hostile)
    await writeFile(join(below, '.streamtoolrc'), hostile)
    for (const cwd of [below, join(dir, 'received')]) {
      const error = await refusal(upload({cwd}))
      expect(error.code).toBe('SETTING_MISSING')
    }
    await config('streamtool.config.yaml', 'brokers: good:1\ntopic: good\n')
    const {values, notes} = await upload({cwd: below})
    expect(values.topic).toBe('good')
    expect(notes.join()).toContain('is an output directory')
  })

  it('are not read from the directory that --output names, before it has been used', async () => {
    await config('streamtool.config.yaml', hostile)
    const promise = resolveSettings(
      reconstructSettings,
      situation({command: 'reconstruct', flags: {output: '.'}}),
    )
    expect((await refusal(promise)).code).toBe('SETTING_MISSING')
  })

  it('execute nothing: cosmiconfig would run .config/config.js of the working directory', async () => {
    const trace = join(dir, 'executed')
    const code = `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')`
    await mkdir(join(dir, '.config'))
    for (const name of ['config.js', 'config.cjs', 'config.ts', 'streamtoolrc.js'])
      await writeFile(join(dir, '.config', name), code)
    await config('package.json', '{"cosmiconfig": {"searchPlaces": ["evil.cjs"]}}')
    await config('evil.cjs', code)
    const before = process.cwd()
    process.chdir(dir)
    try {
      await upload({flags: enough})
    } finally {
      process.chdir(before)
    }
    await expect(rm(trace)).rejects.toThrow('ENOENT')
  })

  it('are not read when anybody may write to them', async () => {
    await writeFile(join(dir, 'streamtool.config.yaml'), hostile, {mode: 0o666})
    await chmod(join(dir, 'streamtool.config.yaml'), 0o666)
    const {values, notes} = await upload({flags: enough})
    expect(values.topic).toBe('from-flag')
    expect(notes.join()).toContain('anybody may write to it')
    const named = await upload({flags: {config: 'streamtool.config.yaml'}})
    expect(named.values.topic).toBe('evil')
  })

  it('cannot pull in code by $import', async () => {
    await config('evil.js', 'throw new Error("executed")')
    await config('streamtool.config.yaml', '$import: ./evil.js\n')
    expect((await refusal(upload({flags: enough}))).code).toBe('CONFIG_UNREADABLE')
  })

  it('are followed when the user links to them', async () => {
    await config('real.yaml', 'topic: linked\n')
    await symlink(join(dir, 'real.yaml'), join(dir, '.streamtoolrc'))
    expect((await upload({flags: {brokers: ['x']}})).values.topic).toBe('linked')
  })
})

describe('-X', () => {
  it('stands for settings, as strong as where it was written', async () => {
    await config('streamtool.config.yaml', 'client-option: {bootstrap.servers: "file:1", client.id: filed}\n')
    const flags = {topic: 't', 'client-option': ['bootstrap.servers=flag:1,flag:2', 'security.protocol=SSL']}
    const {values} = await upload({flags, env: {STREAMTOOL_CLIENT_ID: 'variable'}})
    expect(values).toMatchObject({brokers: ['flag:1', 'flag:2'], tls: true, clientId: 'variable'})
    expect((await upload({flags: {topic: 't'}})).values).toMatchObject({
      brokers: ['file:1'],
      clientId: 'filed',
    })
    expect((await upload({flags: {...flags, brokers: ['own:1']}})).values.brokers).toEqual(['own:1'])
  })

  it('may hold several in a variable, with commas in their values', async () => {
    const env = {STREAMTOOL_CLIENT_OPTION: 'bootstrap.servers=a:1,b:2,sasl.username=me'}
    const {values} = await upload({flags: {topic: 't'}, env})
    expect(values).toMatchObject({brokers: ['a:1', 'b:2'], saslUsername: 'me'})
  })
})

describe('config explain', () => {
  it('says value, source and what was overridden, and masks secrets', async () => {
    await config(
      'streamtool.config.yaml',
      'topic: filed\nsasl-password: sekret1\nclient-option: {ssl.key.password: sekret2}\n',
    )
    const {candidates} = await resolvePartly(
      uploadSettings,
      situation({
        flags: {topic: 'flagged'},
        env: {STREAMTOOL_SASL_PASSWORD: 'sekret4', STREAMTOOL_MEMORY: '32M'},
      }),
    )
    const explained = explainSettings(uploadSettings, candidates)
    const file = join(dir, 'streamtool.config.yaml')
    expect(explained.find(({setting}) => setting === 'topic')).toEqual({
      setting: 'topic',
      value: 'flagged',
      source: '--topic',
      overrode: [{value: 'filed', source: `topic in ${file}`}],
    })
    expect(explained.find(({setting}) => setting === 'memory')).toMatchObject({
      value: '32MiB',
      source: 'STREAMTOOL_MEMORY',
      overrode: [{value: '16MiB', source: 'default'}],
    })
    expect(explained.find(({setting}) => setting === 'brokers')).toEqual({
      setting: 'brokers',
      value: null,
      source: null,
      overrode: [],
    })
    expect(JSON.stringify(explained)).not.toContain('sekret')
  })
})
