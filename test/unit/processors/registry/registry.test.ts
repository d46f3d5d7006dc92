import {appendFile, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {beforeEach, describe, expect, it} from 'vitest'
import {openTableFile} from '../../../../src/adapters/files/table-file.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Clock, Destination, FinishOutcome, IncomingFile} from '../../../../src/core/ports/index.js'
import {
  openRegistry,
  registryFileNames,
  type RegistryOptions,
} from '../../../../src/processors/registry/index.js'
import {deferred, eventually} from '../../../support/eventually.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const IN_PROGRESS = 'filename;rel_filepath;status;n_chunks;first_message;most_recent_message'
const PROCESSED = 'filename;rel_filepath;n_chunks;first_message;processed_at'
const NAMES = registryFileNames({topic: 'files', group: 'g/1', resultTopic: null})
const NOON = new Date(2026, 0, 2, 12, 0, 0).getTime()
const AT = (time: string) => `'Fri Jan 02, 2026 at ${time}'`

let home: string
let nowMs: number
beforeEach(async () => {
  home = await temporaryDirectory()
  nowMs = NOON
})

/** Writes when it is told to, and at the end. */
const clock: Clock = {nowMs: () => nowMs, sleep: (_, signal) => systemClock.sleep(3_600_000, signal)}
const {signal} = new AbortController()

async function start(
  conclude: (file: IncomingFile) => Promise<FinishOutcome> = async () => 'delivered',
  options: Partial<RegistryOptions> = {},
) {
  const registry = await openRegistry({
    inProgress: await openTableFile(join(home, NAMES.inProgress)),
    processed: await openTableFile(join(home, NAMES.processed)),
    isReproducer: false,
    clock,
    logger: recordedLog(),
    ...options,
  })
  const inner: Destination = {
    open: async (file) => ({
      write: async () => undefined,
      finish: () => conclude(file),
      discard: async () => undefined,
    }),
    recall: async () => 'nothing',
    close: async () => undefined,
  }
  return registry.watch(inner)
}
const file = (path: string, chunkCount = 2) => incomingFile(path, Buffer.from('x'), {chunkCount})
async function deliver(destination: Destination, path: string): Promise<void> {
  const writer = await destination.open(file(path), signal)
  nowMs += 5000
  await writer.finish(1).catch(() => writer.discard())
}
const table = async (name: 'inProgress' | 'processed') =>
  (await readFile(join(home, NAMES[name]), 'utf8')).split('\n')

describe('the registry', () => {
  it('has the names of the files of OpenMSIStream', () => {
    expect(NAMES).toEqual({
      inProgress: 'consuming_from_files_in_progress_by_g_1.csv',
      processed: 'processed_from_files_by_g_1.csv',
    })
    expect(registryFileNames({topic: 'a', group: 'g', resultTopic: 'b'}).processed).toBe(
      'results_produced_to_b.csv',
    )
  })

  it('is there from the beginning, and empty', async () => {
    await (await start()).close()
    expect(await table('inProgress')).toEqual([IN_PROGRESS])
    expect(await table('processed')).toEqual([PROCESSED])
  })

  it('lists what was processed, with its times, and no longer as in progress', async () => {
    const destination = await start()
    await deliver(destination, 'run/a;b.csv')
    await deliver(destination, `it's`)
    await destination.close()
    expect(await table('processed')).toEqual([
      PROCESSED,
      `"'a;b.csv'";"'run/a;b.csv'";2;${AT('12:00:00')};${AT('12:00:05')}`,
      `"""it's""";"""it's""";2;${AT('12:00:05')};${AT('12:00:10')}`,
    ])
    expect(await table('inProgress')).toEqual([IN_PROGRESS])
  })

  it('lists what failed, what does not match its hash, and what is not whole yet', async () => {
    const destination = await start(async () => Promise.reject(new Error('bad')))
    await deliver(destination, 'failed')
    await destination.open(file('open'), signal)
    await destination.open(file('wrong'), signal)
    await destination.mismatched?.(file('wrong'))
    const given = await destination.open(file('given up at the end'), signal)
    await given.discard()
    await destination.close()
    const [begun, ended] = [AT('12:00:00'), AT('12:00:05')]
    expect(await table('inProgress')).toEqual([
      IN_PROGRESS,
      `'failed';'failed';'failed';2;${begun};${ended}`,
      `'open';'open';'in_progress';2;${ended};${ended}`,
      `'wrong';'wrong';'mismatched_hash';2;${ended};${ended}`,
      `'given up at the end';'given up at the end';'in_progress';2;${ended};${ended}`,
    ])
    expect(await table('processed')).toEqual([PROCESSED])
  })

  it('has the words of reproducers when there is a result topic', async () => {
    const destination = await start(async () => Promise.reject(new Error('bad')), {isReproducer: true})
    await deliver(destination, 'a')
    await destination.close()
    expect((await table('inProgress'))[1]).toContain(`;'computing_result_message_failed';`)
  })

  it('goes on with what the last run left', async () => {
    const first = await start(async () => Promise.reject(new Error('bad')))
    for (const path of ['a', 'b;']) await deliver(first, path)
    await first.close()
    const second = await start()
    await deliver(second, 'b;')
    await deliver(second, 'c')
    await second.close()
    expect((await table('inProgress')).slice(1)).toEqual([
      `'a';'a';'failed';2;${AT('12:00:00')};${AT('12:00:05')}`,
    ])
    expect((await table('processed')).slice(1).map((line) => line.split(/;(?!')/)[0])).toEqual(
      [`"'b;'"`, `'c';'c'`].map((cell) => expect.stringContaining(cell.slice(0, 4)) as string),
    )
    // When its first record of all came.
    expect((await table('processed'))[1]).toContain(AT('12:00:05'))
  })

  it('cuts off what a crash left unfinished, and empty lines', async () => {
    const first = await start()
    await deliver(first, 'a')
    await first.close()
    const before = await table('processed')
    for (const rest of [`\n'b';'b`, '\n', `\n\n`, `\n'b';'b';2;'Fri Jan 02, 2026 at 12:00:05';'Fri J`]) {
      await appendFile(join(home, NAMES.processed), rest)
      await (await start()).close()
      expect(await table('processed')).toEqual(before)
    }
    await writeFile(join(home, NAMES.processed), '')
    await (await start()).close()
    expect(await table('processed')).toEqual([PROCESSED])
  })

  it('lists a file once that was processed just before a crash', async () => {
    const first = await start()
    await deliver(first, 'listed')
    await first.close()
    const second = await start(async () => 'unchanged')
    for (const path of ['listed', 'not listed', 'not listed']) await deliver(second, path)
    await second.close()
    expect((await table('processed')).slice(1).map((line) => line.split(';')[0])).toEqual([
      `'listed'`,
      `'not listed'`,
    ])
    expect(await table('inProgress')).toEqual([IN_PROGRESS])
  })

  it('is written while the run goes on, and forgets what was given up', async () => {
    let pause = deferred()
    const pausing: Clock = {...clock, sleep: () => pause.promise}
    const destination = await start(undefined, {clock: pausing})
    await deliver(destination, 'a')
    await destination.open(file('open'), signal)
    await (await destination.open(file('stray'), signal)).discard()
    const before = pause
    pause = deferred()
    before.resolve()
    await eventually('it is written', async () => (await table('processed')).length === 2)
    await eventually('it is written', async () => (await table('inProgress')).length === 2)
    expect((await table('inProgress'))[1]).toMatch(/^'open'/)
    pause.resolve()
    await destination.close()
    expect((await readdir(home)).sort()).toEqual([NAMES.inProgress, NAMES.processed].sort())
  })

  it('does not stop the run when it cannot be written', async () => {
    const logger = recordedLog()
    const table = {
      read: async () => null,
      lastLine: async () => PROCESSED,
      dropLastLine: async () => undefined,
      replace: async () => Promise.reject(new Error('full')),
      append: async () => undefined,
    }
    const destination = await start(undefined, {inProgress: table, processed: table, logger})
    await deliver(destination, 'a')
    await destination.close()
    expect(logger.entries.map(({message}) => message)).toEqual(['The registry could not be written: full'])
  })
})
