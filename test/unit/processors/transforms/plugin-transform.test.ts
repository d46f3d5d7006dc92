import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {Processor} from '../../../../src/processors/contract.js'
import {loadProcessor} from '../../../../src/processors/load/index.js'
import {pluginTransform} from '../../../../src/processors/transforms/plugin-transform.js'
import {realClock, silentLogger} from '../../../support/delivery.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const signal = new AbortController().signal
const record = {
  topic: 'in',
  partition: 2,
  offset: 7,
  timestampMs: 5,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [{key: 'h', value: null}],
}
const failures: Error[] = []
const surroundings = {
  logger: silentLogger,
  clock: realClock,
  outputDir: '/',
  options: {},
  signal,
  fail: (error: Error) => void failures.push(error),
}
const open = (processor: Partial<Processor>) => pluginTransform({name: 'mine', ...processor}, surroundings)
const once = async (transform: Processor['transform']) =>
  (await open(transform === undefined ? {} : {transform})).transform(record, signal)

describe('pluginTransform', () => {
  it('sends what is returned, and of what is left out the input', async () => {
    expect(await once(() => ({value: Buffer.from('new')}))).toEqual([
      {
        key: Buffer.from('k'),
        value: [Buffer.from('new')],
        headers: [{key: 'h', value: null}],
        timestampMs: 5,
      },
    ])
    expect(await once(async () => ({key: null, value: null, headers: [], timestamp: new Date(9)}))).toEqual([
      {key: null, value: null, headers: [], timestampMs: 9},
    ])
  })

  it('sends several, or nothing', async () => {
    expect(await once(() => [{value: Buffer.from('1')}, null, {value: Buffer.from('2')}])).toHaveLength(2)
    expect(await once(() => undefined)).toBeNull()
  })

  it('tells the plugin where the record is', async () => {
    let seen: unknown
    await once((given, {topic, partition, offset}) => void (seen = {given, topic, partition, offset}))
    expect(seen).toMatchObject({topic: 'in', partition: 2, offset: 7, given: {timestamp: new Date(5)}})
  })

  it('takes a returned Error for a failure, and refuses what is no record', async () => {
    await expect(once(async () => new Error('no') as never)).rejects.toThrow('no')
    await expect(once(async () => 5 as never)).rejects.toMatchObject({code: 'PROCESSING_FAILED'})
  })

  it('takes text for UTF-8, as plugins in JavaScript write it', async () => {
    expect(await once(() => ({value: 'ä'}) as never)).toMatchObject([{value: [Buffer.from('ä')]}])
  })

  it('needs transform, and a setup that works', async () => {
    await expect(open({})).rejects.toMatchObject({code: 'PLUGIN_UNLOADABLE'})
    const setup = () => {
      throw new Error('no licence')
    }
    await expect(open({transform: () => null, setup})).rejects.toMatchObject({code: 'PLUGIN_SETUP_FAILED'})
  })

  it('a plugin that calls process.exit() fails the record, and ends nothing', async () => {
    const from = await temporaryDirectory()
    const plugin = "export default {name: 'exits', transform() { process.exit(0) }}"
    await writeFile(join(from, 'exits.mjs'), plugin)
    const exit: unknown = Reflect.get(process, 'exit')
    const exiting = await pluginTransform(await loadProcessor('./exits.mjs', {from}), surroundings)
    expect(() => exiting.transform(record, signal)).toThrow('it called process.exit(0)')
    await exiting.close()
    expect(Reflect.get(process, 'exit')).toBe(exit)
  })
})
