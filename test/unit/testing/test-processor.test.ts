import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {defineProcessor} from '../../../src/processors/contract.js'
import {testProcessor} from '../../../src/testing/index.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

const count = defineProcessor({
  name: 'count',
  flags: {threshold: {type: 'number', default: 5}, label: {type: 'string', required: true}},
  async process(file, context) {
    const text = (await file.bytes()).toString()
    if (text === '') throw new Error('it is empty')
    await writeFile(join(context.outputDir, file.name), `${context.options.label} ${text.length}`)
    await context.produce({key: file.path, value: {length: text.length}})
    context.log.info('counted', {length: text.length})
    return {over: text.length > context.options.threshold, local: file.localPath !== null}
  },
})

describe('testProcessor', () => {
  it('tells what became of each file, what was produced, written and logged', async () => {
    const run = await testProcessor(count, {'a/one.txt': 'abcdefgh', 'two.txt': ''}, {options: {label: 'n'}})
    expect(run.files).toMatchObject([
      {
        path: 'a/one.txt',
        outcome: 'processed',
        returned: {over: true, local: false},
        error: null,
        attempts: 1,
        produced: [{key: 'a/one.txt', value: {length: 8}}],
      },
      {path: 'two.txt', outcome: 'failed', error: {code: 'PROCESSING_FAILED'}, produced: []},
    ])
    expect(run.files[1]!.error!.message).toMatch(
      /count failed on two\.txt: it is empty \(at .*test-processor/,
    )
    expect(await readFile(join(run.outputDir, 'one.txt'), 'utf8')).toBe('n 8')
    expect(run.log).toMatchObject([
      {level: 'info', message: 'counted', facts: {file: 'a/one.txt', length: 8}},
    ])
  })

  it('takes local files, and stages them on disk', async () => {
    const path = join(await temporaryDirectory(), 'scan.csv')
    await writeFile(path, 'abc')
    const run = await testProcessor(count, [path], {options: {label: 'n', threshold: 1}, mode: 'disk'})
    expect(run.files).toMatchObject([{path: 'scan.csv', returned: {over: true, local: true}}])
  })

  it('tries again, and tells `failed` when the attempts are used up', async () => {
    const attempts: number[] = []
    const flaky = defineProcessor({
      name: 'flaky',
      process(file) {
        if (file.name === 'never' || file.attempt < 2) throw new Error('not yet')
      },
      failed: ({attempt}) => attempts.push(attempt),
    })
    const run = await testProcessor(flaky, {never: 'x', later: 'x'}, {attempts: 3})
    expect(run.files.map(({outcome, attempts: tried}) => [outcome, tried])).toEqual([
      ['failed', 3],
      ['processed', 2],
    ])
    expect(attempts).toEqual([3])
  })

  it('ends what takes too long', async () => {
    const slow = defineProcessor({
      name: 'slow',
      process: (_, {signal}) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('stopped'))),
        ),
    })
    const run = await testProcessor(slow, {a: 'x'}, {timeoutMs: 20})
    expect(run.files[0]!.error).toMatchObject({code: 'PROCESSING_TIMED_OUT'})
  })

  it('refuses what streamtool would refuse', async () => {
    await expect(testProcessor({name: 'x'}, {a: 'x'})).rejects.toMatchObject({code: 'PLUGIN_UNLOADABLE'})
    await expect(testProcessor(count, {a: 'x'})).rejects.toMatchObject({code: 'SETTING_MISSING'})
    await expect(
      testProcessor(count, {a: 'x'}, {options: {label: 'n', treshold: 1} as never}),
    ).rejects.toMatchObject({code: 'SETTING_INVALID', suggestions: ['Did you mean `threshold`?']})
    const failing = defineProcessor({
      name: 'x',
      process: () => 1,
      setup: () => Promise.reject(new Error('no')),
    })
    await expect(testProcessor(failing, {a: 'x'})).rejects.toMatchObject({code: 'PLUGIN_SETUP_FAILED'})
  })
})
