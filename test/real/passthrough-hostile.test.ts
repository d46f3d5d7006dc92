/** What a relay is given when nobody means well: on Apache Kafka, through bin/run.js, read by librdkafka. */
import {spawn} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {createServer} from 'node:net'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import type {OutgoingRecord} from '../../src/core/ports/index.js'
import type {RelayReport} from '../../src/core/report.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {kcatRead} from '../support/kcat.js'
import {collect, diesWithUs, ended} from '../support/processes.js'
import {eventually} from '../support/eventually.js'
import {onRealKafka} from '../support/on-real-kafka.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const on = onRealKafka()

const record = (value: Buffer | string | null, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  key: null,
  value: value === null ? null : [Buffer.from(value)],
  headers: [],
  ...more,
})
const relay = (input: string, output: string, ...more: readonly string[]) =>
  ['passthrough', '--input', input, '--output', output, '--once', ...more] as const

describe('records that are hard to pass on', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4'])(
    'arrive as they were, compressed with %s, and what does not fit is dead-lettered whole',
    async (compression) => {
      const [input, output, dead] = ['in', 'out', 'dead'].map((name) => `hard-${compression}-${name}`) as [
        string,
        string,
        string,
      ]
      const admin = on.kafka.admin()
      for (const topic of [input, dead])
        await admin.createTopic(topic, {partitions: 1, config: {'max.message.bytes': '4000000'}})
      await admin.createTopic(output, {partitions: 1, config: {'max.message.bytes': '200000'}})
      const headers = [
        {key: 'h', value: Buffer.from([0, 255, 128, 7])},
        {key: 'h', value: Buffer.alloc(0)},
        {key: '', value: null},
        {key: 'ünï', value: Buffer.from([0, 255])},
      ]
      const [wordy, noise] = [Buffer.from('twice and '.repeat(100_000)), randomBytes(300_000)]
      const sent = [
        record('first', {key: Buffer.from([0, 128]), headers, timestampMs: Date.now() - 5000}),
        record(null, {key: Buffer.from('k')}),
        record(''),
        record(randomBytes(150_000)),
        record(noise, {headers}),
        record(wordy),
        record('last'),
      ]
      for (const one of sent) await on.kafka.producer().send({topic: input, partition: 0, records: [one]})
      const args = relay(input, output, '--compression', compression, '--dead-letter-topic', dead)
      const {exitCode, stdout, stderr} = await streamtool([...args, '--json'], {env: on.env})
      const isTooLarge = (one: OutgoingRecord) =>
        one.value?.[0]?.equals(noise) === true || (compression === 'none' && one.value?.[0]?.equals(wordy))
      const passed = sent.filter((one) => !isTooLarge(one))
      expect({exitCode, stderr}).toMatchObject({exitCode: 4})
      expect((JSON.parse(stdout) as RelayReport).records).toEqual({
        read: 7,
        written: passed.length,
        failed: 7 - passed.length,
        deadLettered: 7 - passed.length,
      })
      const received = await kcatRead(on.broker.bootstrap, output)
      expect(received.map(({value}) => value?.length ?? null)).toEqual(
        passed.map(({value}) => value?.[0]?.length ?? null),
      )
      expect(
        received.map(({value}, i) => value === null || value.equals(passed[i]!.value![0]!)),
      ).not.toContain(false)
      expect(received[0]!.key).toEqual(Buffer.from([0, 128]))
      const letters: (Buffer | null)[] = []
      const [range] = await admin.partitionRanges(dead)
      await on.kafka.reader().read(range!, async (some) => void letters.push(...some.map(({value}) => value)))
      expect(letters[0]?.equals(noise)).toBe(true)
    },
  )

  it('ten thousand emoji and combining letters come out backwards, and forwards again', async () => {
    const clusters = ['👩‍👩‍👧‍👦', 'é', 'e\u0301\u0323', '🏳️‍🌈', '한', 'ก็', '\r\n', 'a', '🧑🏽‍🚀', 'ñ']
    const text = (i: number) => Array.from({length: 12}, (_, j) => clusters[(i * 7 + j * j) % 10]).join('')
    const texts = Array.from({length: 10_000}, (_, i) => text(i))
    await on.kafka.admin().createTopic('emoji', {partitions: 1})
    for (let i = 0; i < texts.length; i += 1000)
      await on.kafka
        .producer()
        .send({topic: 'emoji', partition: 0, records: texts.slice(i, i + 1000).map((each) => record(each))})
    await streamtoolJson([...relay('emoji', 'ijome', '--reversestring', '--create-topics')], {env: on.env})
    await streamtoolJson([...relay('ijome', 'emoji-again', '--reversestring', '--create-topics')], {
      env: on.env,
    })
    expect((await kcatRead(on.broker.bootstrap, 'emoji-again')).map(({value}) => String(value))).toEqual(
      texts,
    )
  })
})

describe('a relay that is told to stop', () => {
  it('under load ends well, and nothing comes twice', async () => {
    await on.kafka.admin().createTopic('load-in', {partitions: 2})
    await on.kafka.admin().createTopic('load-out', {partitions: 2})
    const [count, producer] = [60_000, on.kafka.producer()]
    for (const partition of [0, 1])
      for (let i = 0; i < count; i += 2000) {
        const records = Array.from({length: 2000}, (_, j) =>
          record(`${partition}:${i + j} ${'x'.repeat(200)}`),
        )
        await producer.send({topic: 'load-in', partition, records})
      }
    const args = ['passthrough', '--input', 'load-in', '--output', 'load-out', '--memory', '256KiB']
    const total = async () =>
      (await on.kafka.admin().partitionRanges('load-out')).reduce((sum, {end}) => sum + end, 0)
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [BIN, ...args, '--log-level', 'info', '--progress', 'none'], {
        env: on.env,
      })
      diesWithUs(child)
      const [gone, words, before] = [ended(child), collect(child.stderr), await total()]
      await eventually('it writes', async () => (await total()) > before)
      child.kill('SIGTERM')
      expect({gone: await gone, words: words().toString()}).toMatchObject({gone: [0, null]})
    }
    expect(await total()).toBeLessThan(2 * count)
    await streamtoolJson([...args, '--once'], {env: on.env})
    const written = await total()
    expect(written).toBe(2 * count)
    const values = (await kcatRead(on.broker.bootstrap, 'load-out')).map(({value}) => String(value))
    expect(new Set(values).size).toBe(2 * count)
  })
})

describe('what cannot be', () => {
  it('is said before anything is read', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const {port} = blocker.address() as {port: number}
    await on.kafka.admin().createTopic('there', {partitions: 1})
    const run = (args: readonly string[], variables: NodeJS.ProcessEnv = {}) =>
      streamtool(args, {env: {...on.env, ...variables}})
    const [json, taken, noLetters, property, empty] = await Promise.all([
      run(relay('there', 'x'), {SPRING_APPLICATION_JSON: '{"spring":'}),
      run(relay('there', 'x', '--metrics-port', String(port))),
      run(relay('there', 'there2', '--dead-letter-topic', 'nowhere')),
      run(relay('there', 'x', '--spring.cloud.stream.bindings.input.consumer.maxAttemps=2')),
      run(relay('there', 'empty-out', '--create-topics', '--json')),
    ])
    blocker.close()
    expect(json).toMatchObject({exitCode: 2, stderr: expect.stringContaining('is not JSON') as string})
    expect(taken).toMatchObject({exitCode: 2, stderr: expect.stringContaining(String(port)) as string})
    expect(noLetters).toMatchObject({exitCode: 3, stderr: expect.stringContaining('there2') as string})
    expect(property).toMatchObject({exitCode: 2, stderr: expect.stringContaining('max-attempts') as string})
    expect(empty).toMatchObject({exitCode: 0, stdout: expect.stringContaining('"read":0') as string})
    await on.kafka.admin().createTopic('there2', {partitions: 1})
    expect(await run(relay('there', 'there2', '--dead-letter-topic', 'nowhere'))).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('nowhere') as string,
    })
  })
})
