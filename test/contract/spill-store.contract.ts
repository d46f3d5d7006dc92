/** What every spill store must do. */
import {randomBytes} from 'node:crypto'
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {SpillFile, SpillStore} from '../../src/core/ports/index.js'

export interface SpillStoreUnderTest {
  readonly store: SpillStore
  /** Files that are kept for spill files not closed yet. */
  openFiles(): Promise<number>
  close(): Promise<void>
}

async function readBack(file: SpillFile, position: number, byteLength: number): Promise<Buffer> {
  const place = Buffer.alloc(byteLength)
  await file.read(position, place)
  return place
}

export function spillStoreContract(name: string, setUp: () => Promise<SpillStoreUnderTest>): void {
  describe(`spill store: ${name}`, () => {
    let under: SpillStoreUnderTest
    beforeEach(async () => {
      under = await setUp()
    })
    afterEach(() => under.close())

    it('reads back what was appended, in any order and as often as wanted', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({maxLength: 300}), {minLength: 1, maxLength: 20}),
          fc.infiniteStream(fc.nat()),
          async (pieces, picks) => {
            const file = await under.store.create()
            const stored: {position: number; data: Buffer}[] = []
            for (const piece of pieces) {
              const data = Buffer.from(piece)
              stored.push({position: await file.append(data), data: Buffer.from(data)})
              data.fill(0xff)
            }
            for (let i = 0; i < 2 * pieces.length; i += 1) {
              const {position, data} = stored[picks.next().value % stored.length]!
              expect(await readBack(file, position, data.length)).toEqual(data)
            }
            await file.close()
          },
        ),
        {numRuns: 30},
      )
      expect(await under.openFiles()).toBe(0)
    })

    it('keeps many files apart, more than may be open at once', async () => {
      const count = 300
      const files = await Promise.all(Array.from({length: count}, () => under.store.create()))
      const contents = files.map(() => randomBytes(1000))
      const first = await Promise.all(files.map((file, i) => file.append(contents[i]!.subarray(0, 500))))
      const second = await Promise.all(files.map((file, i) => file.append(contents[i]!.subarray(500))))
      expect(await under.openFiles()).toBe(count)
      for (const [i, file] of files.entries()) {
        const read = [await readBack(file, first[i]!, 500), await readBack(file, second[i]!, 500)]
        expect(Buffer.concat(read).equals(contents[i]!)).toBe(true)
      }
      await Promise.all(files.map((file) => file.close()))
      expect(await under.openFiles()).toBe(0)
    })

    it('gives out positions in turn when appends overlap', async () => {
      const file = await under.store.create()
      const pieces = Array.from({length: 50}, (_, i) => Buffer.alloc(1 + ((i * 7) % 40), i))
      const positions = await Promise.all(pieces.map((piece) => file.append(piece)))
      for (const [i, piece] of pieces.entries())
        expect(await readBack(file, positions[i]!, piece.length)).toEqual(piece)
      await file.close()
    })

    it('refuses to read what was never spilled', async () => {
      const file = await under.store.create()
      await file.append(Buffer.from('abc'))
      await expect(readBack(file, 1, 10)).rejects.toMatchObject({code: 'STORAGE_FAILED'})
      await file.close()
    })

    it('closes a file that nothing was spilled to, and one twice', async () => {
      const file = await under.store.create()
      await file.close()
      await file.close()
      expect(await under.openFiles()).toBe(0)
    })
  })
}
