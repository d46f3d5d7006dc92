import {createHash} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, beforeEach, describe, expect, it} from 'vitest'
import type {DeliverReport} from '../../src/core/report.js'
import {startSandbox} from '../../src/sandbox/index.js'
import {streamtoolJson} from '../support/cli.js'
import {silentLogger} from '../support/delivery.js'
import {createTopic} from '../support/kafka-levers.js'
import {kcatRead, kcatWrite} from '../support/kcat.js'
import {startRealKafka} from '../support/real-kafka.js'
import {readTree, seededBytes, writeTree} from '../support/trees.js'

const brokers = {
  'Apache Kafka': startRealKafka,
  'the sandbox': async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streamtool-sandbox-'))
    const sandbox = await startSandbox({dir, kafkaPort: 0, logger: silentLogger})
    const close = async () => {
      await sandbox.close()
      await rm(dir, {recursive: true})
    }
    return {bootstrap: sandbox.bootstrap, close}
  },
}

describe.each(Object.entries(brokers))('kcat on %s', (_, start) => {
  let bootstrap: string
  let home: string

  beforeAll(async () => {
    const broker = await start()
    bootstrap = broker.bootstrap
    return () => broker.close()
  })

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'streamtool-kcat-'))
    return () => rm(home, {recursive: true})
  })

  it('reads what streamtool uploaded: keys, values, headers', async () => {
    const content = seededBytes(1, 1_200_000)
    await writeTree(home, {'run 1/data.bin': content, 'empty.txt': ''})
    await createTopic(bootstrap, 'files', 2)
    await streamtoolJson(['upload', home, '--topic', 'files', '--brokers', bootstrap])
    const records = await kcatRead(bootstrap, 'files')
    expect(records.map(({key}) => key!.toString()).sort()).toEqual([
      '_empty.txt_chunk_1_of_1',
      'run 1_data.bin_chunk_1_of_3',
      'run 1_data.bin_chunk_2_of_3',
      'run 1_data.bin_chunk_3_of_3',
    ])
    const chunks = records
      .filter(({key}) => key!.toString().startsWith('run 1'))
      .sort((a, b) => Buffer.compare(a.key!, b.key!))
    expect(new Set(chunks.map(({partition}) => partition)).size).toBe(1)
    for (const {value, headers} of chunks) {
      expect(value![0]).toBe(0x9a)
      expect(value!.includes(createHash('sha512').update(content).digest())).toBe(true)
      expect(headers).toContain('streamtool=1')
      expect(headers).toContain('streamtool-size=1200000')
    }
    // The modification time, nine bytes, is all that follows the data.
    const data = chunks.map(({value}, index) => {
      const length = Math.min(524_288, content.length - index * 524_288)
      return value!.subarray(value!.length - 9 - length, value!.length - 9)
    })
    expect(Buffer.concat(data).equals(content)).toBe(true)
  })

  it('writes what is none of our records, compressed by each codec, and no file is lost over it', async () => {
    const [input, output] = [join(home, 'in'), join(home, 'out')]
    await writeTree(input, {'kept.bin': seededBytes(2, 40_000)})
    await createTopic(bootstrap, 'mixed', 1)
    const foreign = Array.from(
      {length: 50},
      (_none, index) => `key ${index}:not a chunk, ${'x'.repeat(index)}`,
    )
    for (const codec of ['none', 'gzip', 'lz4', 'snappy', 'zstd'])
      await kcatWrite(bootstrap, 'mixed', foreign, '-z', codec)
    await streamtoolJson(['upload', input, '--topic', 'mixed', '--brokers', bootstrap])
    const report = await streamtoolJson<DeliverReport>([
      ...['reconstruct', '--topic', 'mixed', '--output', output, '--once', '--brokers', bootstrap],
    ])
    expect(report).toMatchObject({poison: 250, files: {delivered: 1, failed: 0}})
    expect(await readTree(output)).toEqual(await readTree(input))
  })
})
