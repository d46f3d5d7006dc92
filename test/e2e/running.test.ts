/** Running commands as people and scripts do: the sandbox, signals, pipes that close. Through the real bin/run.js. */
import {type ChildProcess, spawn} from 'node:child_process'
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {eventually} from '../support/eventually.js'
import {collect, diesWithUs, ended} from '../support/processes.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Exit code and signal, once it is gone. */
  readonly end: Promise<[number | null, NodeJS.Signals | null]>
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Running {
  const child = spawn(process.execPath, [BIN, ...args], {cwd, env: {...process.env, ...env}})
  diesWithUs(child)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  return {child, stdout: () => stdout().toString(), stderr: () => stderr().toString(), end: ended(child)}
}

const newDirectory = temporaryDirectories()
let sandbox: Running
let env: {STREAMTOOL_BROKERS: string}
beforeAll(async () => {
  sandbox = start(['sandbox', '--kafka-port', '0'])
  await eventually('the sandbox is ready', () => sandbox.stdout().includes('\n'))
  const [, brokers] = /^export STREAMTOOL_BROKERS=(127\.0\.0\.1:\d+) .*\n/.exec(sandbox.stdout()) ?? []
  env = {STREAMTOOL_BROKERS: brokers!}
})
afterAll(async () => {
  sandbox.child.kill('SIGTERM')
  expect(await sandbox.end).toEqual([0, null])
})

interface Report {
  interrupted: boolean
  files: Record<string, number>
}

async function uploaded(topic: string, content: string | Buffer = 'hello') {
  const dir = await newDirectory()
  await writeFile(join(dir, 'a.txt'), content)
  return streamtoolJson<Report>(['upload', dir, '--topic', topic], {env: {...process.env, ...env}})
}

describe.concurrent('the sandbox', () => {
  it('runs a command in its environment and exits with its code', async () => {
    const script =
      'console.log(JSON.stringify([process.env.STREAMTOOL_BROKERS, ...process.argv.slice(1)])); process.exit(7)'
    const {exitCode, stdout} = await streamtool([
      'sandbox',
      '--',
      process.execPath,
      '-e',
      script,
      'b',
      'a',
      'b',
      '--json',
    ])
    expect(exitCode).toBe(7)
    const [brokers, ...args] = JSON.parse(stdout) as string[]
    expect(brokers).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(args).toEqual(['b', 'a', 'b', '--json'])
  })

  it('tells the command where the bucket is, whatever other credentials there are', async () => {
    const names = ['STREAMTOOL_BUCKET', 'AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_PROFILE']
    const script = `console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name] ?? null)))`
    const {stdout} = await streamtool(
      ['sandbox', '--bucket', 'my-files', '--', process.execPath, '-e', script],
      {env: {...process.env, AWS_PROFILE: 'production', AWS_ACCESS_KEY_ID: 'other'}},
    )
    const [bucket, endpoint, accessKeyId, profile] = JSON.parse(stdout) as (string | null)[]
    expect([bucket, accessKeyId, profile]).toEqual(['my-files', 'sandbox', null])
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it('refuses what cannot be the name of a bucket', async () => {
    const {exitCode, stdout} = await streamtool(['sandbox', '--bucket', 'My_Files', '--json', '--', 'true'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({error: {code: 'SETTING_INVALID'}})
  })

  it('says so when the command cannot be run', async () => {
    const {exitCode, stderr} = await streamtool(['sandbox', '--', 'no-such-program-hunter2'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('it was not found')
    expect(stderr).not.toContain('hunter2')
  })

  it('passes a stop on to the command, and its end back', async () => {
    const script =
      "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready')"
    const running = start(['sandbox', '--', process.execPath, '-e', script])
    await eventually('the command runs', () => running.stdout().includes('ready'))
    running.child.kill('SIGTERM')
    expect(await running.end).toEqual([9, null])
  })

  it('refuses a port that is taken, by name', async () => {
    const port = env.STREAMTOOL_BROKERS.split(':')[1]!
    const {exitCode, stdout} = await streamtool(['sandbox', '--kafka-port', port, '--json'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({command: 'sandbox', error: {code: 'PORT_UNUSABLE'}})
  })
})

describe.concurrent('a stop that is not heeded', () => {
  const stubborn =
    "process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('ready')"

  it('is forced by a second signal, at once', async () => {
    const running = start(['sandbox', '--', process.execPath, '-e', stubborn])
    await eventually('the command runs', () => running.stdout().includes('ready'))
    running.child.kill('SIGTERM')
    await eventually('the command has refused', () => running.stdout().includes('no'))
    running.child.kill('SIGTERM')
    expect(await running.end).toEqual([130, null])
  })

  it('is forced after --shutdown-timeout', async () => {
    const running = start(['sandbox', '--shutdown-timeout', '200ms', '--', process.execPath, '-e', stubborn])
    await eventually('the command runs', () => running.stdout().includes('ready'))
    running.child.kill('SIGTERM')
    expect(await running.end).toEqual([130, null])
  })
})

describe.concurrent('upload and reconstruct', () => {
  it('report on stdout with --json; without it stdout is empty and the summary is on stderr', async () => {
    const report = await uploaded('reports')
    expect(report).toMatchObject({schema: 1, command: 'upload', topic: 'reports', interrupted: false})
    expect(report.files).toEqual({uploaded: 1, skipped: 0, failed: 0})
    const output = join(await newDirectory(), 'out')
    const {exitCode, stdout, stderr} = await streamtool(
      ['reconstruct', '--topic', 'reports', '--output', output, '--once'],
      {env: {...process.env, ...env}},
    )
    expect({exitCode, stdout}).toEqual({exitCode: 0, stdout: ''})
    expect(stderr).toMatch(/Consumer group: streamtool-[0-9a-f]{16}\n/)
    expect(stderr).toContain('Delivered 1 file (5 B)')
    expect(await readFile(join(output, 'a.txt'), 'utf8')).toBe('hello')
  })

  it('go on where they were, say so when nothing is new, and begin anew with --from-beginning', async () => {
    await uploaded('again')
    const output = join(await newDirectory(), 'out')
    const args = ['reconstruct', '--topic', 'again', '--output', output, '--once']
    const options = {env: {...process.env, ...env}}
    const first = await streamtoolJson<Report & {group: string}>(args, options)
    expect(first.files['delivered']).toBe(1)
    const second = await streamtool([...args, '--json'], options)
    expect(JSON.parse(second.stdout)).toMatchObject({group: first.group, records: 0, files: {delivered: 0}})
    expect(second.stderr).toContain('--from-beginning')
    const third = await streamtoolJson<Report & {records: number}>([...args, '--from-beginning'], options)
    expect(third.records).toBe(1)
  })

  it('read standard input to its end', async () => {
    const {exitCode, stdout} = await streamtool(
      ['upload', '-', '--name', 'dir/piped.txt', '--topic', 'piped', '--events'],
      {env: {...process.env, ...env}, stdin: 'from a pipe'},
    )
    expect(exitCode).toBe(0)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {event: string; time: string})
    expect(events.map(({event}) => event)).toEqual(['started', 'file.uploaded', 'finished'])
    for (const {time} of events) expect(new Date(time).toISOString()).toBe(time)
    expect(events[1]).toMatchObject({path: 'dir/piped.txt', bytes: 11})
  })

  it('keep their instance ids in --state-dir', async () => {
    await uploaded('stateful')
    const [output, state] = [join(await newDirectory(), 'out'), await newDirectory()]
    await streamtoolJson(
      ['reconstruct', '--topic', 'stateful', '--output', output, '--once', '--state-dir', state],
      {env: {...process.env, ...env}},
    )
    expect(await readdir(state)).toEqual(['instances'])
  })
})

describe('a stop', () => {
  it('of a command that runs until stopped exits with 0, after its report', async () => {
    await uploaded('running')
    const output = join(await newDirectory(), 'out')
    const running = start(['reconstruct', '--topic', 'running', '--output', output, '--json'], env)
    await eventually('the file is delivered', async () =>
      (await readdir(output).catch((): string[] => [])).includes('a.txt'),
    )
    running.child.kill('SIGTERM')
    expect(await running.end).toEqual([0, null])
    expect(JSON.parse(running.stdout())).toMatchObject({interrupted: false, files: {delivered: 1}})
  })

  it('of an upload before its end exits with 130, its report saying so', async () => {
    const running = start(
      ['upload', '-', '--name', 'endless', '--topic', 'stopped', '--json', '--events'],
      env,
    )
    await eventually('it has begun', () => running.stdout().includes('"started"'))
    running.child.kill('SIGINT')
    expect(await running.end).toEqual([130, null])
    const last = running.stdout().trim().split('\n').at(-1)!
    expect(JSON.parse(last)).toMatchObject({event: 'finished', report: {interrupted: true}})
  })

  it('while it still looks for the broker does not wait for that', async () => {
    for (const [args, exitCode] of [
      [['upload', '.'], 130],
      [['reconstruct', '--output', join(await newDirectory(), 'out')], 0],
    ] as const) {
      const nowhere = {STREAMTOOL_BROKERS: '127.0.0.1:1'}
      const running = start([...args, '--topic', 't', '--json', '--log-level', 'debug'], nowhere)
      await eventually('it tries', () => running.stderr().includes('127.0.0.1:1'))
      const stoppedAt = performance.now()
      running.child.kill('SIGTERM')
      expect(await running.end).toEqual([exitCode, null])
      expect(performance.now() - stoppedAt).toBeLessThan(8_000)
      expect(JSON.parse(running.stdout())).toMatchObject({interrupted: exitCode === 130})
    }
  })
})

describe.concurrent('a reader of stdout that goes away', () => {
  it('does not hurt a run that ends by itself', async () => {
    const dir = await newDirectory()
    for (let index = 0; index < 50; index++) await writeFile(join(dir, `${index}.txt`), 'x')
    const running = start(['upload', dir, '--topic', 'piped-away', '--events'], env)
    running.child.stdout!.destroy()
    expect(await running.end).toEqual([0, null])
    expect(running.stderr()).toContain('Uploaded 50 files')
    expect(running.stderr()).not.toMatch(/EPIPE|Warning/)
  })

  it('stops a command that would run until stopped', async () => {
    const output = join(await newDirectory(), 'out')
    await uploaded('head')
    const running = start(['reconstruct', '--topic', 'head', '--output', output, '--events'], env)
    await eventually('it has begun', () => running.stdout().includes('"started"'))
    running.child.stdout!.destroy()
    await uploaded('head', 'more')
    expect(await running.end).toEqual([0, null])
  })
})
