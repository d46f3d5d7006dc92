/** `passthrough` through bin/run.js: the recipe it replaces, and what a kill -9 costs. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {createKafkaClient, type KafkaClient} from '../../src/adapters/kafka/index.js'
import type {ConsumedRecord} from '../../src/core/ports/index.js'
import type {RelayReport} from '../../src/core/report.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {silentLogger} from '../support/delivery.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const SESSION_MS = 1500
const newDirectory = temporaryDirectories()
let broker: MortalBroker
let kafka: KafkaClient
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  broker = await startSandboxProcess()
  kafka = createKafkaClient({brokers: [broker.bootstrap], clientId: 'test'}, {logger: silentLogger})
  env = {...process.env, STREAMTOOL_BROKERS: broker.bootstrap, STREAMTOOL_STATE_DIR: await newDirectory()}
})
afterAll(async () => {
  await kafka.close()
  await broker.close()
})

async function recordsOn(topic: string): Promise<ConsumedRecord[][]> {
  const [admin, reader] = [kafka.admin(), kafka.reader()]
  const ranges = await admin.partitionRanges(topic)
  return Promise.all(
    ranges.map(async (range) => {
      const records: ConsumedRecord[] = []
      await reader.read(range, async (some) => void records.push(...some))
      return records
    }),
  )
}

describe('passthrough', () => {
  it('is the processor of the text-reversal stream, as Data Flow starts it', async () => {
    const [input, output] = ['text-reversal.http', 'text-reversal.python-processor']
    await kafka.admin().createTopic(input, {partitions: 1})
    const records = [{key: Buffer.from('k'), value: [Buffer.from('hello world')], headers: []}]
    await kafka.producer().send({topic: input, partition: 0, records})
    const report = await streamtoolJson<RelayReport>(
      [
        'passthrough',
        `--spring.cloud.stream.bindings.input.destination=${input}`,
        '--spring.cloud.stream.bindings.input.group=text-reversal',
        `--spring.cloud.stream.bindings.output.destination=${output}`,
        `--spring.cloud.stream.kafka.binder.brokers=PLAINTEXT://${broker.bootstrap}`,
        '--server.port=0',
        '--reversestring=true',
        '--once',
        '$@',
      ],
      {env},
    )
    expect(report).toMatchObject({group: 'text-reversal', records: {read: 1, written: 1, failed: 0}})
    expect((await recordsOn(output)).flat()).toMatchObject([
      {key: Buffer.from('k'), value: Buffer.from('dlrow olleh')},
    ])
    expect(await kafka.admin().committedOffsets('text-reversal', input)).toMatchObject([{offset: 1}])
  })

  it("has the flags of its plugin: as arguments, in Spring's JSON, as variables and in --options; --help shows them", async () => {
    const cwd = await newDirectory()
    await writeFile(
      join(cwd, 'marks.mjs'),
      `export default {
         name: 'marks',
         flags: {
           before: {type: 'string', required: true, description: 'What stands before'},
           howOften: {type: 'number', default: 1, min: 1},
           loud: {type: 'boolean'},
           after: {type: 'string', default: ''},
         },
         transform({value}, {options: {before, howOften, loud, after}}) {
           const text = before.repeat(howOften) + value + after
           return {value: loud ? text.toUpperCase() : text}
         },
       }`,
    )
    await kafka.admin().createTopic('flags-in', {partitions: 1})
    const records = [{key: null, value: [Buffer.from('x')], headers: []}]
    await kafka.producer().send({topic: 'flags-in', partition: 0, records})
    const args = ['passthrough', '--input', 'flags-in', '--output', 'flags-out', '--plugin', './marks.mjs']
    const run = (more: readonly string[], variables: NodeJS.ProcessEnv) =>
      streamtool([...args, ...more, '--create-topics', '--once', '--from-beginning', '--json'], {
        cwd,
        env: {...env, ...variables},
      })
    const [{exitCode, stderr}, {stdout: help}] = await Promise.all([
      run([], {}),
      streamtool(['passthrough', '--plugin=./marks.mjs', '--help'], {cwd, env}),
      run(['--before=a', '--how-often', '2', '--loud', '--options', 'after=z'], {}),
    ])
    expect({exitCode, stderr}).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('needs before') as string,
    })
    expect(help).toMatch(/MARKS FLAGS[^]*--before=TEXT +What stands before \(needed\)/)
    await run(['--loud=false', '--server.port=-1'], {
      SPRING_APPLICATION_JSON: '{"before":"b","how-often":3}',
      STREAMTOOL_AFTER: 'y',
    })
    expect((await recordsOn('flags-out')).flat().map(({value}) => String(value))).toEqual(['AAXZ', 'bbbxy'])
    const misspelt = await run(['--before=a', '--how-oftn=2'], {})
    expect(misspelt).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('did you mean --how-often') as string,
    })
  })

  // Images whose ENTRYPOINT ends in "$@", "--" have both before all arguments.
  it('took a `$@` right behind its name for the name of another command', async () => {
    const {input} = await streamtoolJson<RelayReport>(
      [
        'passthrough',
        '$@',
        '--',
        '--input',
        'entry-in',
        '--output',
        'entry-out',
        '--create-topics',
        '--once',
      ],
      {env},
    )
    expect(input).toBe('entry-in')
  })

  it('loses no record to kill -9, and keeps the order of each partition', async () => {
    const [partitions, count] = [3, 3000]
    for (const topic of ['crash-in', 'crash-out']) await kafka.admin().createTopic(topic, {partitions})
    const producer = kafka.producer()
    for (let partition = 0; partition < partitions; partition++)
      for (let first = 0; first < count; first += 250)
        await producer.send({
          topic: 'crash-in',
          partition,
          records: Array.from({length: 250}, (_, i) => ({
            key: null,
            value: [Buffer.from(`${partition}:${first + i}`)],
            headers: [],
          })),
        })
    const args = ['passthrough', '--input', 'crash-in', '--output', 'crash-out', '--group', 'crash']
    const more = [
      '--once',
      '--session-timeout',
      `${SESSION_MS}ms`,
      '--instance-id',
      'only',
      '--progress',
      'none',
    ]
    const killer = fileURLToPath(new URL('../support/crash/killer.mjs', import.meta.url))
    // Small batches of the output, so that a kill has something to fall into.
    const small = ['--memory', '16KiB']
    const deaths = [
      ['after-produce', 1],
      ['before-produce', 3],
      ['before-commit', 1],
      ['after-produce', 5],
      ['after-commit', 1],
    ] as const
    for (const [step, time] of deaths) {
      const marker = `${await newDirectory()}/died`
      const child = spawn(process.execPath, ['--import', killer, BIN, ...args, ...more, ...small], {
        env: {...env, KILL_AT_STEP: step, KILL_AT_TIME: String(time), KILL_MARKER: marker},
        stdio: 'ignore',
      })
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
      expect([signal, code], `${step} was never reached`).toEqual(['SIGKILL', null])
    }
    await streamtoolJson<RelayReport>([...args, ...more], {env})

    const out = await recordsOn('crash-out')
    const expected = Array.from({length: partitions}, (_, p) =>
      Array.from({length: count}, (_, i) => `${p}:${i}`),
    )
    out.forEach((records, partition) => {
      const values = records.map(({value}) => String(value))
      expect([...new Set(values)]).toEqual(expected[partition])
    })
    const written = out.flat().length
    expect((await streamtoolJson<RelayReport>([...args, ...more], {env})).records.read).toBe(0)
    expect((await recordsOn('crash-out')).flat().length).toBe(written)
  })
})
