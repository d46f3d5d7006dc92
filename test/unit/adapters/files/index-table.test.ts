import {randomBytes} from 'node:crypto'
import {open, readdir} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {type Delivered, deliveredEntry, SLOT_BYTES} from '../../../../src/adapters/files/index-slot.js'
import {findInTableOfAnother, IndexTable} from '../../../../src/adapters/files/index-table.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const entryOf = (name: string, offset = 0): Delivered =>
  deliveredEntry(incomingFile(name, Buffer.from(name), {offset}), 7)

/** Paths that all fall into the same page of every level. */
const colliding = (count: number): Delivered[] =>
  Array.from({length: count}, (_, i) => {
    const pathHash = randomBytes(32)
    pathHash.writeUInt32BE(0x12345678)
    return {...entryOf(`${i}`, i), pathHash}
  })

describe('IndexTable', () => {
  it('gives back every fact of an entry', async () => {
    const table = new IndexTable(await temporaryDirectory())
    const facts = {partition: 7, offset: 2 ** 53 - 1, timestampMs: 1_700_000_000_000, orderMtimeMs: 1.5}
    const entry = deliveredEntry(
      incomingFile('a', Buffer.from('a'), {...facts, uploadId: 'u', topic: 't'}),
      2 ** 40,
    )
    await table.put(entry)
    const found = await table.find(entry.pathHash)
    expect(found?.order).toEqual({
      partition: 7,
      offset: 2 ** 53 - 1,
      timestampMs: 1_700_000_000_000,
      mtimeMs: 1.5,
    })
    expect(found?.sizeBytes).toBe(2 ** 40)
    expect(found?.content.equals(entry.content.subarray(0, 32))).toBe(true)
    expect(found?.uploadHash.equals(entry.uploadHash.subarray(0, 16))).toBe(true)
    expect(found?.topicHash.equals(entry.topicHash.subarray(0, 16))).toBe(true)
    await table.close()
  })

  it('finds what was put, the last of each path, after being opened again, and nothing else', async () => {
    const directory = await temporaryDirectory()
    const names = Array.from({length: 1500}, (_, i) => `dir/file-${i}`)
    let table = new IndexTable(directory)
    const put = async (offset: number, some: string[]): Promise<void> => {
      await Promise.all(some.map(async (name) => (await table.put(entryOf(name, offset)))()))
    }
    await put(1, names)
    await put(2, names.slice(0, 100))
    await table.close()
    table = new IndexTable(directory)
    const offsets = await Promise.all(
      names.map(async (name) => (await table.find(entryOf(name).pathHash))?.order.offset),
    )
    expect(offsets).toEqual(names.map((_, i) => (i < 100 ? 2 : 1)))
    expect(await table.find(entryOf('never').pathHash)).toBeNull()
    await table.close()
  })

  it('gives no two paths the same slot, however many come at once, and goes to the next level when a page is full', async () => {
    const directory = await temporaryDirectory()
    const entries = colliding(100)
    const table = new IndexTable(directory)
    await Promise.all(entries.map((entry) => table.put(entry)))
    const found = await Promise.all(entries.map(({pathHash}) => table.find(pathHash)))
    expect(found.map((entry) => entry?.order.offset)).toEqual(entries.map((_, i) => i))
    expect((await readdir(directory)).sort()).toEqual([0, 1, 2, 3].map((level) => `level-${level}.v1`))
    await table.close()
  })

  it('shows another process what was put, before it is durable', async () => {
    const directory = await temporaryDirectory()
    const table = new IndexTable(directory)
    for (const entry of colliding(40)) {
      expect(await findInTableOfAnother(directory, entry.pathHash)).toBeNull()
      await table.put(entry)
      expect((await findInTableOfAnother(directory, entry.pathHash))?.order.offset).toBe(entry.order.offset)
    }
    await table.close()
  })

  it('takes a slot that was cut short for nothing, and writes it again', async () => {
    const directory = await temporaryDirectory()
    const entry = colliding(1)[0]!
    const table = new IndexTable(directory)
    await table.put(entry)
    await table.close()

    const file = await open(path.join(directory, 'level-0.v1'), 'r+')
    const position = (0x12345678 % 64) * 4096
    await file.write(Buffer.alloc(SLOT_BYTES / 2), 0, SLOT_BYTES / 2, position + SLOT_BYTES / 2)
    await file.close()

    const reopened = new IndexTable(directory)
    expect(await reopened.find(entry.pathHash)).toBeNull()
    expect(await findInTableOfAnother(directory, entry.pathHash)).toBeNull()
    await reopened.put(entry)
    expect((await reopened.find(entry.pathHash))?.order).toEqual(entry.order)
    await reopened.close()
  })

  it('keeps what it was given when it has forgotten the page', async () => {
    const table = new IndexTable(await temporaryDirectory(), 4)
    const entries = Array.from({length: 2000}, (_, i) => entryOf(`${i}`, i))
    for (let i = 0; i < entries.length; i += 500)
      await Promise.all(entries.slice(i, i + 500).map((e) => table.put(e)))
    const offsets = []
    for (const {pathHash} of entries) offsets.push((await table.find(pathHash))?.order.offset)
    expect(offsets).toEqual(entries.map((_, i) => i))
    await table.close()
  })
})
