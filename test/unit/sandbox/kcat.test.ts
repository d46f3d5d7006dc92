import {describe, expect, it, onTestFinished} from 'vitest'
import {createKafkaClient} from '../../../src/adapters/kafka/index.js'
import {silentLogger} from '../../support/delivery.js'
import {kcatRead, kcatWrite} from '../../support/kcat.js'
import {isInstalled, run, runOrThrow} from '../../support/processes.js'
import {temporarySandbox} from '../../support/sandbox/temporary.js'

const hasKcat = await isInstalled('kcat')
const LINES = Array.from({length: 500}, (_, index) => `key${index}:value${index}`)

/** librdkafka, in its most used shape. */
describe.runIf(hasKcat)('kcat', {timeout: 30_000}, () => {
  it.each<[string, readonly string[]]>([
    ['plain', []],
    ['gzip', ['-z', 'gzip']],
    ['snappy', ['-z', 'snappy']],
    ['lz4', ['-z', 'lz4']],
    ['zstd', ['-z', 'zstd']],
    ['idempotent', ['-X', 'enable.idempotence=true']],
    ['acks=1', ['-X', 'acks=1']],
    ['many small batches', ['-X', 'batch.num.messages=7']],
  ])('reads what it has written: %s', async (_, options) => {
    const {bootstrap} = await temporarySandbox()
    await kcatWrite(bootstrap, 'topic', LINES, ...options)
    const records = await kcatRead(bootstrap, 'topic')
    expect(records.map(({key, value}) => `${String(key)}:${String(value)}`).sort()).toEqual([...LINES].sort())
    expect(new Set(records.map(({partition}) => partition)).size).toBeGreaterThan(1)
  })

  it.each(['gzip', 'snappy', 'lz4'] as const)(
    'reads what streamtool has compressed: %s',
    async (compression) => {
      const {bootstrap} = await temporarySandbox()
      const client = createKafkaClient({brokers: [bootstrap], clientId: 'test'}, {logger: silentLogger})
      onTestFinished(() => client.close())
      await client.admin().createTopic('topic', {partitions: 1})
      const values = [...LINES, 'again and '.repeat(20_000)]
      const records = values.map((value) => ({key: null, value: [Buffer.from(value)], headers: []}))
      await client.producer({compression}).send({topic: 'topic', partition: 0, records})
      expect((await kcatRead(bootstrap, 'topic')).map(({value}) => String(value))).toEqual(values)
    },
  )

  it('reads as a group, and the group goes on where it stood', async () => {
    const {bootstrap} = await temporarySandbox()
    const readAsGroup = async () => {
      const options = ['-X', 'auto.offset.reset=earliest', '-X', 'group.instance.id=static']
      const {stdout} = await runOrThrow('kcat', [
        '-b',
        bootstrap,
        '-G',
        'group',
        '-e',
        '-q',
        ...options,
        'topic',
      ])
      return stdout.split('\n').filter(Boolean)
    }
    await kcatWrite(bootstrap, 'topic', LINES)
    expect(await readAsGroup()).toHaveLength(LINES.length)
    await kcatWrite(bootstrap, 'topic', ['new:record'])
    expect(await readAsGroup()).toEqual(['record'])
  })

  it('lists the topics, and finds offsets by time', async () => {
    const {bootstrap} = await temporarySandbox()
    await kcatWrite(bootstrap, 'topic', LINES, '-p', '2')
    const {stdout} = await runOrThrow('kcat', ['-b', bootstrap, '-L'])
    expect(stdout).toContain('topic "topic" with 4 partitions')
    const query = await runOrThrow('kcat', ['-b', bootstrap, '-Q', '-t', 'topic:2:-1', '-t', 'topic:2:1'])
    expect(query.stdout).toMatch(/topic \[2\] offset (500|0)/)
  })

  it('is told that there are no transactions', async () => {
    const {bootstrap} = await temporarySandbox()
    const {exitCode, stderr} = await run('kcat', [
      '-P',
      '-b',
      bootstrap,
      '-t',
      't',
      '-X',
      'transactional.id=x',
    ])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('the sandbox has no transactions')
  })
})

it.runIf(!hasKcat)(
  'kcat is not installed (Debian: apt-get install kcat): its round trips were NOT tested',
  () => {
    console.warn('kcat is not installed: nothing was tested with librdkafka')
  },
)
