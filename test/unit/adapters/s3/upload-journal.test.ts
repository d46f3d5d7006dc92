import {readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, describe, expect, it, onTestFinished, vi} from 'vitest'
import {UploadJournal} from '../../../../src/adapters/s3/upload-journal.js'
import {eventually} from '../../../support/eventually.js'
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

describe('a journal whose process was suspended, and taken for dead', () => {
  const ANOTHER_HOST = {pid: 1, startTime: '1', pidSpace: 'boot:of another host'}

  /** Its slot looks like that of a host that has not been heard of for a while. */
  async function losesItsSlot(directory: string): Promise<void> {
    const file = join(directory, '0.1.lock')
    await writeFile(file, `${JSON.stringify(ANOTHER_HOST)}\n`)
    const longAgo = Date.now() / 1000 - 70
    await utimes(file, longAgo, longAgo)
  }

  async function suspended(directory: string, uploadId: string | null) {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']})
    onTestFinished(() => void vi.useRealTimers())
    const journal = await open(directory)
    const upload = await journal.begin(FACTS)
    if (uploadId !== null) await upload.begun(uploadId)
    await losesItsSlot(directory)
    const wakesUp = async (is: () => boolean | Promise<boolean>) => {
      vi.advanceTimersByTime(10_000)
      await eventually('the loss is noticed', is)
    }
    return {journal, upload, wakesUp}
  }

  const filesOf = async (directory: string, slot: number) =>
    (await entries(directory)).filter((name) => name.startsWith(`${slot}.`))

  it('takes another slot, and back what nobody has claimed', async () => {
    const directory = await temporaryDirectory()
    const {journal, upload, wakesUp} = await suspended(directory, 'upload')
    const other = await open(directory)
    expect([...other.orphans].map(({entry}) => entry.uploadId)).toEqual(['upload'])
    await wakesUp(async () => (await filesOf(directory, 1)).length === 1)
    expect(upload.lost.aborted).toBe(false)
    expect(await other.adopt('k', 'g')).toBeNull()
    await (await journal.begin({...FACTS, key: 'l'})).begun('another')
    expect(await filesOf(directory, 0)).toEqual([])
    await upload.over()
    expect(await filesOf(directory, 1)).toHaveLength(1)
  })

  it('leaves alone what another process goes on with', async () => {
    const directory = await temporaryDirectory()
    const {journal, upload, wakesUp} = await suspended(directory, 'upload')
    const other = await open(directory)
    const theirs = await other.adopt('k', 'g')
    await wakesUp(() => upload.lost.aborted)
    expect(upload.lost.reason).toMatchObject({code: 'OBJECT_CONFLICT', retriable: true})
    await upload.over()
    expect(await filesOf(directory, 0)).toHaveLength(1)
    expect(journal.live.size).toBe(0)
    expect(await journal.adopt('k', 'g')).toBeNull()
    await theirs?.over()
    expect(await entries(directory)).toEqual([])
  })

  it('names an upload that was about to be begun although another process looked for it', async () => {
    const directory = await temporaryDirectory()
    const {upload, wakesUp} = await suspended(directory, null)
    const other = await open(directory)
    const [theirs] = [...other.orphans]
    expect(await theirs?.claim()).toBe(true)
    await wakesUp(async () => (await filesOf(directory, 1)).length === 1)
    await upload.begun('upload')
    await theirs?.over()
    expect(upload.lost.aborted).toBe(false)
    expect(await readFile(join(directory, (await filesOf(directory, 1))[0]!), 'utf8')).toContain('"upload"')
  })

  it('writes anew what somebody removed', async () => {
    const directory = await temporaryDirectory()
    const {upload, wakesUp} = await suspended(directory, 'upload')
    for (const name of await readdir(directory)) await rm(join(directory, name))
    await wakesUp(async () => (await entries(directory)).length === 1)
    expect(upload.lost.aborted).toBe(false)
  })
})
