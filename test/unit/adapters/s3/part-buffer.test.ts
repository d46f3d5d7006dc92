import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {createMemorySpillStore} from '../../../../src/adapters/memory/memory-spill-store.js'
import {PartBuffer, PartMemory} from '../../../../src/adapters/s3/part-buffer.js'

const MIB = 1 << 20
const never = new AbortController().signal

/** Bytes that tell where they belong. */
const content = (byteLength: number, seed: number) =>
  Buffer.from(Uint8Array.from({length: byteLength}, (_, i) => (i * 31 + (i >> 8) + seed) & 0xff))

describe('PartBuffer', () => {
  it('gives back what was put in, from memory and from disk, through memory that is used again', async () => {
    const lengths = fc.array(fc.oneof(fc.integer({min: 0, max: 5000}), fc.integer({min: 0, max: 700_000})), {
      minLength: 1,
      maxLength: 8,
    })
    const budgets = fc.constantFrom(0, MIB, 8 * MIB)
    await fc.assert(
      fc.asyncProperty(budgets, fc.array(lengths, {minLength: 1, maxLength: 4}), async (budget, parts) => {
        const spill = createMemorySpillStore()
        const memory = new PartMemory(spill, budget, 4 * MIB, 2 * MIB)
        for (const [seed, pieces] of parts.entries()) {
          const part = new PartBuffer(memory, never)
          const whole = content(
            pieces.reduce((sum, length) => sum + length, 0),
            seed,
          )
          let at = 0
          for (const length of pieces) {
            const data = Buffer.from(whole.subarray(at, at + length))
            await part.append(data)
            // It is the caller's again.
            data.fill(0)
            at += length
          }
          expect(part.byteLength).toBe(whole.length)
          expect(memory.filling.value).toBeLessThanOrEqual(budget)
          const body = await part.take()
          expect(body.bytes.equals(whole)).toBe(true)
          expect(part.byteLength).toBe(0)
          body.giveBack()
        }
        expect(memory.filling.value).toBe(0)
        expect(spill.openFiles).toBe(0)
      }),
      {numRuns: 25},
    )
  })

  it('does not reserve a slab for a few bytes', async () => {
    const memory = new PartMemory(createMemorySpillStore(), 8 * MIB, 8 * MIB, 8 * MIB)
    await new PartBuffer(memory, never).append(Buffer.alloc(1000))
    expect(memory.filling.value).toBe(1000)
  })

  it('gives back its memory when it is given up', async () => {
    const spill = createMemorySpillStore()
    const memory = new PartMemory(spill, MIB, MIB, MIB)
    const [kept, spilled] = [new PartBuffer(memory, never), new PartBuffer(memory, never)]
    await kept.append(Buffer.alloc(900_000))
    await spilled.append(Buffer.alloc(900_000))
    expect(spill.openFiles).toBe(1)
    await kept.clear()
    await spilled.clear()
    expect(memory.filling.value).toBe(0)
    expect(spill.openFiles).toBe(0)
  })
})
