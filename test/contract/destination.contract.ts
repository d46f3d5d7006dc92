/** What every destination that keeps files by path must do. */
import {randomBytes} from 'node:crypto'
import {setMaxListeners} from 'node:events'
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {Destination, FileWriter, IncomingFile} from '../../src/core/ports/index.js'
import {incomingFile} from '../support/incoming-file.js'

export interface DestinationUnderTest {
  readonly destination: Destination
  /** Everything visible, by path. */
  visible(): Promise<Map<string, Buffer>>
  /** What is left anywhere of files that were neither delivered nor closed. */
  leftOvers(): Promise<readonly string[]>
  close(): Promise<void>
}

export function destinationContract(name: string, setUp: () => Promise<DestinationUnderTest>): void {
  describe(`destination: ${name}`, () => {
    const {signal} = new AbortController()
    // As many as files are open, which have a signal each otherwise.
    setMaxListeners(0, signal)
    let under: DestinationUnderTest
    beforeEach(async () => {
      under = await setUp()
    })
    afterEach(() => under.close())

    const open = (file: IncomingFile): Promise<FileWriter> => under.destination.open(file, signal)
    const deliver = async (file: IncomingFile, content: Buffer): Promise<string> => {
      const writer = await open(file)
      await writer.write(content)
      return writer.finish(content.length)
    }
    const contentOf = async (path: string): Promise<string | undefined> =>
      (await under.visible()).get(path)?.toString()

    it('delivers a file byte for byte, under its path', async () => {
      const content = randomBytes(100_000)
      expect(await deliver(incomingFile('a/b c/ä "q" %.bin', content), content)).toBe('delivered')
      const visible = await under.visible()
      expect([...visible.keys()]).toEqual(['a/b c/ä "q" %.bin'])
      expect([...visible.values()][0]?.equals(content)).toBe(true)
    })

    it('puts many writes together in their order', async () => {
      const pieces = Array.from({length: 200}, (_, i) => randomBytes((i * 37) % 5000))
      const content = Buffer.concat(pieces)
      const writer = await open(incomingFile('many', content, {chunkCount: pieces.length}))
      for (const piece of pieces) await writer.write(piece)
      expect(await writer.finish(content.length)).toBe('delivered')
      expect((await under.visible()).get('many')?.equals(content)).toBe(true)
    })

    it('takes more than one write of a file of one chunk', async () => {
      const writer = await open(incomingFile('one', Buffer.from('abc')))
      for (const piece of ['a', 'b', 'c']) await writer.write(Buffer.from(piece))
      expect(await writer.finish(3)).toBe('delivered')
      expect(await contentOf('one')).toBe('abc')
    })

    it.each([
      ['no write', 0],
      ['a write of nothing', 1],
    ])('delivers an empty file after %s', async (_, writes) => {
      const writer = await open(incomingFile('empty', Buffer.alloc(0)))
      for (let i = 0; i < writes; i += 1) await writer.write(Buffer.alloc(0))
      expect(await writer.finish(0)).toBe('delivered')
      expect(await contentOf('empty')).toBe('')
    })

    it('is done with a buffer when write has resolved', async () => {
      for (const chunkCount of [1, 2]) {
        const buffer = Buffer.from('first')
        const writer = await open(incomingFile(`reused-${chunkCount}`, buffer, {chunkCount}))
        await writer.write(buffer)
        buffer.fill('x')
        await writer.finish(5)
        expect(await contentOf(`reused-${chunkCount}`)).toBe('first')
      }
    })

    it('shows nothing before finish', async () => {
      for (const chunkCount of [1, 2]) {
        const writer = await open(incomingFile('a', Buffer.from('content'), {chunkCount}))
        expect(await under.visible()).toEqual(new Map())
        await writer.write(Buffer.from('content'))
        expect(await under.visible()).toEqual(new Map())
        await writer.discard()
      }
    })

    it('refuses to finish with another size than was written', async () => {
      const writer = await open(incomingFile('a', Buffer.from('abc')))
      await writer.write(Buffer.from('abc'))
      await expect(writer.finish(4)).rejects.toMatchObject({code: 'BUG'})
      await writer.discard()
      expect(await under.visible()).toEqual(new Map())
      expect(await under.leftOvers()).toEqual([])
    })

    it('leaves no trace of what is discarded, at whatever point, and as often as it likes', async () => {
      for (const chunkCount of [1, 2]) {
        for (const writes of [0, 1, 2]) {
          const writer = await open(incomingFile('dir/a', Buffer.from('xx'), {chunkCount}))
          for (let i = 0; i < writes; i += 1) await writer.write(Buffer.from('x'))
          await writer.discard()
          await writer.discard()
          await expect(writer.write(Buffer.from('x'))).rejects.toThrow()
        }
      }
      expect(await under.visible()).toEqual(new Map())
      expect(await under.leftOvers()).toEqual([])
    })

    it('keeps what was delivered when it is discarded afterwards', async () => {
      const writer = await open(incomingFile('a', Buffer.from('x')))
      await writer.write(Buffer.from('x'))
      await writer.finish(1)
      await writer.discard()
      expect(await contentOf('a')).toBe('x')
    })

    it('leaves nothing of files that are open when it is closed', async () => {
      for (let i = 0; i < 10; i += 1) {
        const writer = await open(incomingFile(`open-${i}`, Buffer.from('x'), {chunkCount: 2}))
        await writer.write(Buffer.from('x'))
      }
      await under.destination.close()
      expect(await under.visible()).toEqual(new Map())
      expect(await under.leftOvers()).toEqual([])
    })

    it("rejects with the signal's reason once that has aborted", async () => {
      const lost = new AbortController()
      const writer = await under.destination.open(incomingFile('a', Buffer.from('x')), lost.signal)
      await writer.write(Buffer.from('x'))
      lost.abort(new Error('the epoch is over'))
      await expect(writer.write(Buffer.from('x'))).rejects.toThrow('the epoch is over')
      await expect(writer.finish(1)).rejects.toThrow('the epoch is over')
      await writer.discard()
      expect(await under.visible()).toEqual(new Map())
    })

    it('replaces a generation by a newer one, and never by an older one', async () => {
      const b = Buffer.from('second')
      expect(await deliver(incomingFile('a', b, {offset: 20}), b)).toBe('delivered')
      const a = Buffer.from('first')
      expect(await deliver(incomingFile('a', a, {offset: 10}), a)).toBe('superseded')
      expect(await contentOf('a')).toBe('second')
      const c = Buffer.from('third')
      expect(await deliver(incomingFile('a', c, {offset: 30}), c)).toBe('delivered')
      expect(await contentOf('a')).toBe('third')
      expect(await under.leftOvers()).toEqual([])
    })

    it('leaves what it holds already, and delivers A after B after A', async () => {
      const [a, b] = [Buffer.from('A'), Buffer.from('B')]
      const first = incomingFile('f', a, {offset: 1, uploadId: 'u1'})
      expect(await deliver(first, a)).toBe('delivered')
      expect(await deliver(first, a)).toBe('unchanged')
      expect(await deliver(incomingFile('f', b, {offset: 2, uploadId: 'u2'}), b)).toBe('delivered')
      expect(await deliver(first, a)).toBe('superseded')
      expect(await deliver(incomingFile('f', a, {offset: 3, uploadId: 'u3'}), a)).toBe('delivered')
      expect(await contentOf('f')).toBe('A')
    })

    it('counts what came again as new as its newest copy', async () => {
      const [a, b] = [Buffer.from('A'), Buffer.from('B')]
      const at = (content: Buffer, offset: number): IncomingFile =>
        incomingFile('f', content, {offset, timestampMs: offset})
      expect(await deliver(at(a, 1), a)).toBe('delivered')
      expect(await deliver(at(a, 3), a)).toBe('unchanged')
      expect(await deliver(at(a, 1), a)).toBe('unchanged')
      expect(await deliver(at(b, 2), b)).toBe('superseded')
      expect(await contentOf('f')).toBe('A')
    })

    it('orders generations of several partitions and topics by time', async () => {
      const file = Buffer.from('x')
      const at = (partition: number, timestampMs: number, topic = 'files'): IncomingFile =>
        incomingFile('f', file, {
          partition,
          timestampMs,
          topic,
          uploadId: `${topic}-${partition}-${timestampMs}`,
        })
      expect(await deliver(at(0, 2000), file)).toBe('delivered')
      expect(await deliver(at(1, 1000), file)).toBe('superseded')
      expect(await deliver(at(0, 1000, 'other'), file)).toBe('superseded')
      expect(await deliver(at(1, 3000), file)).toBe('delivered')
      expect(await deliver(at(0, 4000, 'other'), file)).toBe('delivered')
    })

    it('takes files of a topic that was made anew, whose offsets start again', async () => {
      const [old, fresh] = [Buffer.from('old'), Buffer.from('new')]
      await deliver(incomingFile('f', old, {offset: 5000, timestampMs: 1000}), old)
      expect(await deliver(incomingFile('f', fresh, {offset: 0, timestampMs: 2000}), fresh)).toBe('delivered')
      expect(await contentOf('f')).toBe('new')
    })

    it('ends with the newest generation, in whatever order and overlap they are finished', async () => {
      let round = 0
      const orders = fc.uniqueArray(fc.integer({min: 0, max: 50}), {minLength: 2, maxLength: 6})
      await fc.assert(
        fc.asyncProperty(orders, async (offsets) => {
          const path = `round-${(round += 1)}/file`
          const outcomes = await Promise.all(
            offsets.map((offset) => {
              const content = Buffer.from(`generation ${offset}`)
              return deliver(incomingFile(path, content, {offset, timestampMs: offset}), content)
            }),
          )
          const newest = Math.max(...offsets)
          expect(await contentOf(path)).toBe(`generation ${newest}`)
          expect(outcomes[offsets.indexOf(newest)]).toBe('delivered')
        }),
        {numRuns: 25},
      )
    })

    it('has a thousand files open at once, and finishes many at once', async () => {
      const count = 1000
      const contents = Array.from({length: count}, (_, i) => Buffer.from(`${i}:`.repeat(1 + (i % 50))))
      const writers = await Promise.all(
        contents.map((content, i) => open(incomingFile(`d${i % 7}/f${i}`, content, {chunkCount: 2}))),
      )
      const half = (content: Buffer): number => content.length >> 1
      for (const [i, writer] of writers.entries())
        await writer.write(contents[i]!.subarray(0, half(contents[i]!)))
      await Promise.all(writers.map((writer, i) => writer.write(contents[i]!.subarray(half(contents[i]!)))))
      const outcomes = await Promise.all(writers.map((writer, i) => writer.finish(contents[i]!.length)))
      expect(new Set(outcomes)).toEqual(new Set(['delivered']))
      const visible = await under.visible()
      expect(visible.size).toBe(count)
      const differing = contents.filter(
        (content, i) => visible.get(`d${i % 7}/f${i}`)?.equals(content) !== true,
      )
      expect(differing).toEqual([])
    })
  })
}
