/** What every file source must do. */
import {randomBytes} from 'node:crypto'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {FileSource, SourceFile, SourceProblem} from '../../src/core/ports/index.js'

export interface FileSourceUnderTest {
  readonly source: FileSource
  /** Makes a file, or changes one in place. */
  put(path: string, content: Buffer, mtimeMs?: number): Promise<void>
  remove(path: string): Promise<void>
  close(): Promise<void>
}

export function fileSourceContract(name: string, setUp: () => Promise<FileSourceUnderTest>): void {
  describe(`file source: ${name}`, () => {
    let under: FileSourceUnderTest
    beforeEach(async () => {
      under = await setUp()
    })
    afterEach(() => under.close())

    const list = async (): Promise<(SourceFile | SourceProblem)[]> => {
      const listed = []
      for await (const item of under.source.list()) listed.push(item)
      return listed
    }
    const only = async (): Promise<SourceFile> => {
      const [item] = await list()
      if (!item || 'code' in item) throw new Error('a file was expected')
      return item
    }

    it('lists nothing where there is nothing', async () => {
      expect(await list()).toEqual([])
    })

    it('lists every file with its size, relative and with slashes, alike each time', async () => {
      const sizes = new Map([
        ['a', 0],
        ['b/c d/ä', 1],
        ['b/e', 700],
        ['b.txt', 5],
        ['~', 2],
      ])
      for (const [path, size] of sizes) await under.put(path, Buffer.alloc(size))
      const first = await list()
      expect(new Map(first.map((item) => [item.path, 'sizeBytes' in item ? item.sizeBytes : -1]))).toEqual(
        sizes,
      )
      expect((await list()).map(({path}) => path)).toEqual(first.map(({path}) => path))
    })

    it('can be listed twice at the same time', async () => {
      for (let i = 0; i < 100; i += 1) await under.put(`d${i % 3}/f${i}`, Buffer.alloc(1))
      const [one, two] = await Promise.all([list(), list()])
      expect(one).toHaveLength(100)
      expect(two.map(({path}) => path)).toEqual(one.map(({path}) => path))
    })

    it('reads any part of a file, and less only at its end', async () => {
      const content = randomBytes(100_000)
      await under.put('f', content)
      const reader = await (await only()).open()
      for (const [position, length] of [
        [0, 100_000],
        [0, 10],
        [99_990, 10],
        [50_000, 1],
        [99_990, 100],
        [100_000, 5],
        [200_000, 5],
      ] as const) {
        const buffer = Buffer.alloc(length)
        const count = await reader.read(buffer, position)
        const expected = content.subarray(position, position + length)
        expect(count).toBe(expected.length)
        expect(buffer.subarray(0, count).equals(expected)).toBe(true)
      }
      await reader.close()
    })

    it('identifies a file alike as long as it stays as it is', async () => {
      await under.put('f', Buffer.from('x'), 1_600_000_000_123)
      const file = await only()
      const [one, two] = [await file.open(), await file.open()]
      const identity = await one.identify()
      expect(identity.sizeBytes).toBe(1)
      expect(identity.mtimeMs).toBeCloseTo(1_600_000_000_123, 1)
      expect(identity.inode).not.toBe('')
      expect(await one.identify()).toEqual(identity)
      expect(await two.identify()).toEqual(identity)
      await one.close()
      await two.close()
    })

    it.each([
      ['longer', Buffer.from('xyz'), 1000],
      ['shorter', Buffer.alloc(0), 1000],
      ['another of the same size', Buffer.from('y'), 1001],
    ])('sees that a file has become %s while it is read', async (_, changed, mtimeMs) => {
      await under.put('f', Buffer.from('x'), 1000)
      const reader = await (await only()).open()
      const before = await reader.identify()
      await under.put('f', changed, mtimeMs)
      expect(await reader.identify()).not.toEqual(before)
      await reader.close()
    })

    it('cannot open a file that is gone since it was listed', async () => {
      await under.put('f', Buffer.from('x'))
      const file = await only()
      await under.remove('f')
      await expect(file.open()).rejects.toMatchObject({code: 'FILE_UNREADABLE'})
    })
  })
}
