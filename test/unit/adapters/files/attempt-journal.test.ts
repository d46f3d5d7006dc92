import {readdir, utimes, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {openAttemptJournal} from '../../../../src/adapters/files/attempt-journal.js'
import type {AttemptJournal} from '../../../../src/core/ports/index.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const {signal} = new AbortController()
const open = (directory: string): Promise<AttemptJournal> =>
  openAttemptJournal(directory, {whenStorageAllows: (work) => work(), signal, nowMs: Date.now()})
const record = {attempts: 4, deaths: 1, isRunning: true}

describe('the journal of attempts', () => {
  it('is read by the next process, until an upload is done', async () => {
    const directory = path.join(await temporaryDirectory(), 'attempts')
    const journal = await open(directory)
    expect(await journal.read('k')).toBeNull()
    await journal.write('k', {...record, attempts: 3})
    await journal.write('k', record)
    const next = await open(directory)
    expect(await next.read('k')).toEqual(record)
    await next.forget('k')
    await next.forget('k')
    expect(await readdir(directory)).toEqual([])
  })

  it.each(['', '{"attempts":', '[]', 'null', '{"attempts":-1,"deaths":0}', '{"attempts":1e99,"deaths":0}'])(
    'counts from the beginning where a power cut left %j',
    async (text) => {
      const directory = await temporaryDirectory()
      await writeFile(path.join(directory, 'k.json'), text)
      expect(await (await open(directory)).read('k')).toBeNull()
    },
  )

  it('forgets what is old, and what a killed process left half written, and nothing else', async () => {
    const directory = await temporaryDirectory()
    const ages: Readonly<Record<string, number>> = {
      'new.json': 1,
      'held-for-a-month.json': 30,
      'a-year-ago.json': 365,
      'just-now.new': 0,
      'killed.new': 1,
    }
    for (const [name, days] of Object.entries(ages)) {
      await writeFile(path.join(directory, name), JSON.stringify(record))
      const seconds = Date.now() / 1000 - days * 86_400
      await utimes(path.join(directory, name), seconds, seconds)
    }
    await open(directory)
    expect((await readdir(directory)).sort()).toEqual(['held-for-a-month.json', 'just-now.new', 'new.json'])
  })
})
