/** Packages that add to streamtool: packed, installed without a registry, run, and broken. */
import {once} from 'node:events'
import {randomUUID} from 'node:crypto'
import {cp, mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {createServer, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {DeliverReport} from '../../src/core/report.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {npm, pack, packageStreamtool, type PackagedStreamtool} from '../support/packages.js'
import {isInstalled} from '../support/processes.js'
import {temporaryDirectories, temporaryDirectory} from '../support/temporary-directory.js'
import {writeTree} from '../support/trees.js'

const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))

/** All else needs nothing but Node. */
const hasPython = await isInstalled('python3')

const newDirectory = temporaryDirectories()
let packaged: PackagedStreamtool
let broker: MortalBroker
beforeAll(async () => {
  ;[packaged, broker] = await Promise.all([newDirectory().then(packageStreamtool), startSandboxProcess()])
})
afterAll(() => broker.close())

const pluginsInstall = async (...specs: readonly string[]) =>
  expect(await packaged.streamtool(['plugins', 'install', ...specs])).toMatchObject({exitCode: 0})

/** @returns the tarball, as somebody writes it */
const packed = async (directory: string) => `./${relative(packaged.root, await pack(directory))}`

/** A package of a few files. */
async function plugin(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(packaged.root, name)
  await mkdir(directory)
  const manifest = {name, version: '1.0.0', type: 'module', oclif: {commands: './commands'}}
  await writeTree(directory, {'package.json': JSON.stringify(manifest), ...files})
  return directory
}

describe('a package that adds a command', () => {
  /** What was PUT, by path. */
  const received = new Map<string, {body: string; digest: string | undefined}>()
  let server: Server
  let answer = 201
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => (body += text))
      request.on('end', () => {
        const digest = request.headers['repr-digest'] as string | undefined
        if (answer === 201) received.set(`${request.method} ${request.url}`, {body, digest})
        response.writeHead(answer).end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // Type-checked on the way, against the types of the packed streamtool.
    const spec = await packed(await packaged.place('http-put', example('http-put-command')))
    await pluginsInstall(spec)
  })
  afterAll(() => server.close())

  const httpPut = (args: readonly string[]) => {
    const {port} = server.address() as AddressInfo
    const env = {
      STREAMTOOL_STATE_DIR: packaged.root,
      STREAMTOOL_BROKERS: broker.bootstrap,
      STREAMTOOL_URL: `http://127.0.0.1:${port}/inbox`,
    }
    return packaged.streamtool(['http-put', '--once', '--json', ...args], {env})
  }

  it('is in --help, with flags of its own and the common ones', async () => {
    const [all, one, list] = await Promise.all([
      packaged.streamtool(['--help']),
      packaged.streamtool(['http-put', '--help']),
      // Where libraries print colours into pipes too.
      packaged.streamtool(['plugins'], {env: {CI: 'true'}}),
    ])
    expect(all.stdout).toMatch(/^ {2}http-put +Put files together/m)
    for (const said of ['--url=URL', '--topic=TOPIC', '--dead-letter-topic', 'EXIT CODES'])
      expect(one.stdout).toContain(said)
    expect(list.stdout).toContain('streamtool-http-put 1.0.0')
    // Its commands are known without being loaded.
    const manifest = 'data/node_modules/streamtool-http-put/oclif.manifest.json'
    expect(JSON.parse(await readFile(join(packaged.root, manifest), 'utf8'))).toMatchObject({
      commands: {'http-put': {pluginName: 'streamtool-http-put'}},
    })
  })

  it('delivers, holds what is refused with exit code 4, and tries it again at the next start', async () => {
    const input = await temporaryDirectory()
    await writeTree(input, {'a b.txt': 'one', 'sub/ü.txt': 'two', 'empty.txt': ''})
    await packaged.streamtool(['upload', input, '--topic', 'put', '--brokers', broker.bootstrap])

    answer = 503
    const refused = await httpPut(['--topic', 'put', '--include', 'a b.txt'])
    expect(refused.exitCode).toBe(4)
    expect((JSON.parse(refused.stdout) as DeliverReport).problems).toMatchObject([
      {path: 'a b.txt', outcome: 'held', code: 'FILE_HELD', reason: expect.stringContaining('503') as string},
    ])

    answer = 201
    const {exitCode, stdout} = await httpPut(['--topic', 'put'])
    expect({exitCode, files: (JSON.parse(stdout) as DeliverReport).files}).toMatchObject({
      exitCode: 0,
      files: {delivered: 1, held: 0},
    })
    expect([...received.keys()]).toEqual(['PUT /inbox/a%20b.txt'])
  })

  it('has the errors and exit codes of the house', async () => {
    const [missing, wrong, unknown, silent] = await Promise.all([
      httpPut([]),
      httpPut(['--topic', 't', '--url', 'ftp://x']),
      httpPut(['--topik', 't']),
      httpPut(['--topic', 't', '--brokers', '127.0.0.1:1', '--outage-tolerance', '1s']),
    ])
    expect(JSON.parse(missing.stdout)).toMatchObject({command: 'http-put', error: {code: 'SETTING_MISSING'}})
    expect(JSON.parse(wrong.stdout)).toMatchObject({error: {code: 'SETTING_INVALID', exitCode: 2}})
    expect(JSON.parse(unknown.stdout)).toMatchObject({error: {code: 'USAGE', exitCode: 2}})
    expect([missing, wrong, unknown, silent].map(({exitCode}) => exitCode)).toEqual([2, 2, 2, 3])
  })

  it('has its section in the configuration file, which others leave alone', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'streamtool.config.yaml'), 'topic: t\nhttp-put: {url: "http://h/"}\n')
    const [explained, valid, other] = await Promise.all([
      packaged.streamtool(['config', 'explain', 'http-put'], {cwd}),
      packaged.streamtool(['config', 'validate'], {cwd}),
      packaged.streamtool(['upload', 'x', '--json'], {cwd}),
    ])
    expect(explained.stdout).toMatch(/^url +http:\/\/h\/ {2}\(http-put\.url in /m)
    expect(valid.exitCode).toBe(0)
    expect(JSON.parse(other.stdout)).toMatchObject({error: {code: 'SETTING_MISSING'}})
    await writeFile(join(cwd, 'streamtool.config.yaml'), 'topic: t\nhttp-put: {ulr: "http://h/"}\n')
    const mistaken = await packaged.streamtool(['config', 'validate'], {cwd})
    expect(mistaken.stderr).toContain('did you mean http-put.url?')
  })
})

describe('a package with a processor', () => {
  /** What a run of `process` came to. */
  async function processed(...args: readonly string[]) {
    const output = join(packaged.root, `results-${randomUUID()}`)
    const {exitCode, stdout, stderr} = await packaged.streamtool(
      ['process', '--topic', 'scans', '--output', output, '--once', '--json', '--attempts', '1', ...args],
      {env: {STREAMTOOL_STATE_DIR: packaged.root, STREAMTOOL_BROKERS: broker.bootstrap}},
    )
    const read = (path: string) => readFile(join(output, path), 'utf8')
    return {exitCode, stdout, stderr, read}
  }
  let xrd: string
  beforeAll(async () => {
    const input = await newDirectory()
    await cp(join(example('xrd-processor'), 'test', 'si.csv'), join(input, 'run-1', 'si.csv'))
    await writeFile(join(input, 'broken.csv'), '[Scan points]\nAngle,Intensity\n28,many\n')
    await packaged.streamtool(['upload', input, '--topic', 'scans', '--brokers', broker.bootstrap])
    xrd = await packaged.place('xrd', example('xrd-processor'))
  })

  it('the example passes its own tests, is installed from its tarball, and works', async () => {
    await npm(['test'], {cwd: xrd})
    await pluginsInstall(await pack(xrd, {built: true}))
    const [{exitCode, stdout, read}, help] = await Promise.all([
      processed('--plugin', 'streamtool-xrd', '--threshold', '50'),
      packaged.streamtool(['process', '--plugin', 'streamtool-xrd', '--help']),
    ])
    expect(exitCode).toBe(4)
    const {files, problems} = JSON.parse(stdout) as DeliverReport
    expect(files).toMatchObject({delivered: 1, held: 1})
    expect(problems).toMatchObject([
      {path: 'broken.csv', reason: expect.stringContaining('line 3 is no scan point') as string},
    ])
    const summary = JSON.parse(await read('run-1/si.json')) as object
    expect(summary).toMatchObject({sample: 'Si 640', points: 11, peaks: [{angle: 28.4, intensity: 2210}]})
    expect(await read('run-1/si.svg')).toMatch(/^<svg .*<polyline /s)
    expect(help.stdout).toMatch(/--threshold=\S+ +a peak reaches/)
  })

  it('the example is loaded as TypeScript, too', async () => {
    const {exitCode, read} = await processed('--plugin', './xrd/src/index.ts', '--include', 'si.csv')
    expect(exitCode).toBe(0)
    expect(JSON.parse(await read('run-1/si.json'))).toMatchObject({points: 11})
  })

  it.skipIf(!hasPython)('the example in Python does the same by --exec', async () => {
    const {exitCode, stdout, read} = await processed(
      '--exec',
      `python3 '${example('xrd-python')}/xrd.py' {path}`,
    )
    expect(exitCode).toBe(4)
    expect((JSON.parse(stdout) as DeliverReport).problems).toMatchObject([
      {path: 'broken.csv', reason: expect.stringContaining('line 3 is no scan point') as string},
    ])
    expect(JSON.parse(await read('run-1/si.json'))).toMatchObject({sample: 'Si 640', highest: {angle: 28.4}})
  })

  it('`new processor` writes one whose npm install and npm test pass at once', async () => {
    const created = await packaged.streamtool(['new', 'processor', 'my-first'])
    expect(created).toMatchObject({exitCode: 0, stdout: ''})
    expect(created.stderr).toContain('cd my-first && npm install && npm test')
    const directory = join(packaged.root, 'my-first')
    const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    // What npm would fetch.
    expect(Object.keys(manifest.devDependencies).sort()).toEqual(Object.keys(packaged.developing).sort())
    const offline = {...manifest, devDependencies: packaged.developing}
    await writeFile(join(directory, 'package.json'), JSON.stringify(offline))
    await npm(['install'], {cwd: directory})
    await npm(['test'], {cwd: directory})
    const {exitCode, read} = await processed('--plugin', './my-first', '--skip-empty')
    expect(exitCode).toBe(0)
    expect(JSON.parse(await read('run-1/si.csv.lines.json'))).toMatchObject({lines: 17})
  })
})

describe('a package that does not fit or does not work', () => {
  it('is not installed when it needs another streamtool', async () => {
    const directory = await plugin('needs-newer', {})
    const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as object
    const needs = {...manifest, peerDependencies: {streamtool: '>=99'}}
    await writeFile(join(directory, 'package.json'), JSON.stringify(needs))
    const {exitCode, stdout, stderr} = await packaged.streamtool([
      'plugins',
      'install',
      await packed(directory),
    ])
    expect(exitCode).toBe(7)
    expect(stderr).toContain('PLUGIN_NOT_INSTALLED')
    expect(stdout + stderr).toContain('peer streamtool@">=99"')
    expect((await packaged.streamtool(['plugins'])).stdout).not.toContain('needs-newer')
  })

  it('is not found in a registry that cannot be reached', async () => {
    const {exitCode, stderr} = await packaged.streamtool(['plugins', 'install', 'streamtool-nothing'])
    expect(exitCode).toBe(7)
    expect(stderr).toContain('(PLUGIN_NOT_INSTALLED)')
  })

  it('breaks no other command, and says so on stderr', async () => {
    const throwing = await plugin('throwing', {'commands/throws.js': 'throw new Error("not\\ntoday")\n'})
    // Like one of ours, but ours stay ours.
    const like = await plugin('like-ours', {
      'commands/upload.js': 'export default class A { static run() {} }\n',
    })
    // What its commands are was written down when they could be loaded.
    const command = {
      id: 'late',
      aliases: [],
      args: {},
      flags: {},
      isESM: true,
      relativePath: ['commands', 'late.js'],
    }
    const late = await plugin('late', {
      'oclif.manifest.json': JSON.stringify({version: '1.0.0', commands: {late: command}}),
      'commands/late.js': "import 'not-there'\n",
    })
    await pluginsInstall(await packed(throwing), await packed(like), await packed(late))
    const gone = await plugin('gone', {'commands/here.js': 'export default class Here { static run() {} }\n'})
    expect(await packaged.streamtool(['plugins', 'link', gone])).toMatchObject({exitCode: 0})
    await rm(gone, {recursive: true})

    const own = await packaged.streamtool(['late', '--json'])
    expect(own.exitCode).toBe(7)
    expect(JSON.parse(own.stdout)).toMatchObject({command: 'late', error: {code: 'PLUGIN_UNLOADABLE'}})

    const {exitCode, stdout, stderr} = await packaged.streamtool(['upload', 'x', '--json'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({command: 'upload', error: {code: 'SETTING_MISSING'}})
    expect(stderr).toMatch(/warning: The plugin throwing cannot be used: not/)
    expect(stderr).toMatch(/warning: The plugin \S+gone cannot be used: it is not where it was/)
    expect(stderr).not.toMatch(/^\s+at |\(node:/m)

    const removed = await packaged.streamtool([
      'plugins',
      'uninstall',
      'throwing',
      'gone',
      'late',
      'like-ours',
    ])
    expect(removed).toMatchObject({exitCode: 0})
    expect((await packaged.streamtool(['--version'])).stderr).toBe('')
  })
})
