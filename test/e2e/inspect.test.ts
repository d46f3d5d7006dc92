/** `inspect`, through the real bin/run.js: what people and scripts see of a topic. */
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {createKafkaClient, type KafkaClient} from '../../src/adapters/kafka/index.js'
import type {InspectedFile, InspectReport} from '../../src/core/inspect-report.js'
import {startSandbox, type Sandbox} from '../../src/sandbox/index.js'
import {recordsOf} from '../support/chunks.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {silentLogger} from '../support/delivery.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const TOPIC = 'inspected'
const newDirectory = temporaryDirectories()
let place: string
let sandbox: Sandbox
let client: KafkaClient
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  place = await newDirectory()
  sandbox = await startSandbox({dir: join(place, 'sandbox'), kafkaPort: 0, logger: silentLogger})
  env = {...process.env, STREAMTOOL_BROKERS: sandbox.bootstrap}
  client = createKafkaClient({brokers: [sandbox.bootstrap], clientId: 'test'}, {logger: silentLogger})
  await client.admin().createTopic(TOPIC, {partitions: 2})

  const files = join(place, 'files')
  await mkdir(join(files, 'run_01'), {recursive: true})
  await writeFile(join(files, 'run_01', 'a.csv'), 'a'.repeat(3000))
  await writeFile(join(files, 'notes.txt'), 'first')
  await streamtoolJson(['upload', files, '--topic', TOPIC, '--chunk-size', '1KiB'], {env})
  await streamtoolJson(
    ['reconstruct', '--topic', TOPIC, '--output', join(place, 'received'), '--group', 'g', '--once'],
    {env},
  )
  await writeFile(join(files, 'notes.txt'), 'second')
  await streamtoolJson(['upload', join(files, 'notes.txt'), '--topic', TOPIC], {env})

  const producer = client.producer()
  const cut = recordsOf({path: 'cut.bin', content: Buffer.alloc(4000, 'c')}).slice(0, 2)
  await producer.send({topic: TOPIC, partition: 1, records: cut})
  const hello = {key: null, value: [Buffer.from('hello')], headers: []}
  await producer.send({topic: TOPIC, partition: 1, records: [hello]})
})
afterAll(async () => {
  await client.close()
  await sandbox.close()
})

const inspect = (...args: string[]) => streamtool(['inspect', '--topic', TOPIC, ...args], {env})

describe('inspect', () => {
  it('prints a table on stdout, and words on stderr', async () => {
    const {exitCode, stdout, stderr} = await inspect()
    expect(exitCode).toBe(0)
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^STATE +SIZE +CHUNKS +PARTITION +LAST RECORD \(UTC\) +PATH$/)
    expect(lines[1]).toMatch(/^incomplete .* 2 of 4 .* cut\.bin {2}\(missing 3-4\)$/)
    expect(lines[2]).toMatch(/^superseded .* notes\.txt$/)
    expect(lines[3]).toMatch(/^complete .* notes\.txt$/)
    expect(lines[4]).toMatch(/^complete .* run_01\/a\.csv$/)
    expect(stdout).toContain('Files    2 complete, 1 incomplete, 1 superseded by newer ones')
    expect(stdout).toContain('1 × NOT_MSGPACK, first at 1/')
    expect(stderr).toContain(`of ${TOPIC} in`)
    expect(stderr).not.toContain('cut.bin')
  })

  it('--json prints one object, --events a line a file, and neither joins or moves a group', async () => {
    const before = await client.admin().committedOffsets('g', TOPIC)
    const {exitCode, stdout} = await inspect('--json', '--group', 'g')
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout) as InspectReport
    expect(report).toMatchObject({
      schema: 1,
      command: 'inspect',
      topic: TOPIC,
      records: 8,
      poison: 1,
      files: {complete: 2, incomplete: 1, superseded: 1, corrupt: 0},
      group: {group: 'g', members: 0, files: {done: 2, next: 1, open: 1}},
    })
    const states = report.inventory.map(({path, group}) => [path, group])
    expect(states).toEqual([
      ['cut.bin', 'open'],
      ['notes.txt', 'done'],
      ['notes.txt', 'next'],
      ['run_01/a.csv', 'done'],
    ])
    expect(await client.admin().committedOffsets('g', TOPIC)).toEqual(before)
    expect(await client.admin().groupMembers('g')).toEqual([])

    const events = (await inspect('--events', '--json')).stdout.trim().split('\n')
    const told = events.map(
      (line) => JSON.parse(line) as {event: string; report?: InspectReport} & InspectedFile,
    )
    const ofFiles = told.filter(({event}) => event === 'file.inspected')
    expect(ofFiles.map(({path}) => path)).toEqual(report.inventory.map(({path}) => path))
    expect(told.filter(({event}) => event === 'record.poison')).toHaveLength(1)
    expect(told.at(-1)).toMatchObject({event: 'finished', report: {files: report.files}})
  })

  it('--check makes the exit code, of the files that are asked for', async () => {
    expect((await inspect('--check', '--verify')).exitCode).toBe(4)
    expect((await inspect('--check', '--exclude', 'cut.*')).exitCode).toBe(0)
  })

  it('exits with 3 for a topic that is not there, as one object with --json', async () => {
    const {exitCode, stdout} = await streamtool(['inspect', '--topic', 'nowhere', '--json'], {env})
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({command: 'inspect', error: {code: 'TOPIC_UNKNOWN'}})
  })
})
