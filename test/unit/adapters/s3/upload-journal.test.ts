import {readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, describe, expect, it, onTestFinished, vi} from 'vitest'
import {UploadJournal} from '../../../../src/adapters/s3/upload-journal.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const FACTS = {key: 'k', generation: 'g', partBytes: 5, begunMs: 1, writeId: 'w'}

/** Closed with an upload under way, it leaves what a process leaves that was killed. */
async function diesWith(directory: string, uploadId: string | null): Promise<void> {
  const journal = await UploadJournal.open(directory)
  const journaled = await journal.begin(FACTS)
  if (uploadId !== null) await journaled.begun(uploadId)
  await journal.close()
}

async function open(directory: string): Promise<UploadJournal> {
  const journal = await UploadJournal.open(directory)
  onTestFinished(() => journal.close())
  return journal
}

const entries = async (directory: string) =>
  (await readdir(directory)).filter((name) => name.endsWith('.json'))

afterEach(() => void vi.restoreAllMocks())

describe('the journal of uploads', () => {
  it('has what a dead process left adopted by one of those that start at once, whichever the file comes to', async () => {
    const directory = await temporaryDirectory()
    await diesWith(directory, 'upload')
    const journals = [await open(directory), await open(directory), await open(directory)]
    expect(await journals[0]!.adopt('k', 'another')).toBeNull()
    const adopted = await Promise.all(journals.map((journal) => journal.adopt('k', 'g')))
    const [one, ...others] = adopted.filter((each) => each !== null)
    expect(one?.entry).toMatchObject({...FACTS, uploadId: 'upload'})
    expect(others).toEqual([])
    await one?.over()
    expect(await entries(directory)).toEqual([])
  })

  it('finds what a process leaves that dies later', async () => {
    const directory = await temporaryDirectory()
    const journal = await open(directory)
    await diesWith(directory, 'upload')
    const now = performance.now()
    vi.spyOn(performance, 'now').mockReturnValue(now + 60_000)
    expect((await journal.adopt('k', 'g'))?.entry.uploadId).toBe('upload')
  })

  it('takes nothing from a process that lives', async () => {
    const directory = await temporaryDirectory()
    const owner = await open(directory)
    await (await owner.begin(FACTS)).begun('upload')
    const other = await open(directory)
    expect(await other.adopt('k', 'g')).toBeNull()
    expect(other.orphans.size).toBe(0)
  })

  it('keeps an orphan for further processes when whoever adopted it dies too', async () => {
    const directory = await temporaryDirectory()
    await diesWith(directory, 'upload')
    const second = await UploadJournal.open(directory)
    expect(await second.adopt('k', 'g')).not.toBeNull()
    await second.close()
    expect((await (await open(directory)).adopt('k', 'g'))?.entry.uploadId).toBe('upload')
  })

  it('notes what was about to be begun, and passes over what a crash cut short', async () => {
    const directory = await temporaryDirectory()
    await diesWith(directory, null)
    await writeFile(join(directory, '7.00000000-0000-4000-8000-000000000000.json'), '{"key":')
    const journal = await open(directory)
    expect([...journal.orphans].map(({entry}) => entry.uploadId)).toEqual([null])
    expect(await journal.adopt('k', 'g')).toBeNull()
    expect(await entries(directory)).toHaveLength(1)
  })
})
