import {describe, expect, it} from 'vitest'
import type {SpillFile, SpillStore} from '../../../../src/core/ports/index.js'
import {ReorderBudget, ReorderBuffer} from '../../../../src/core/reassembly/reorder-buffer.js'
import {deferred} from '../../../support/eventually.js'
import {memorySpill} from '../../../support/delivery.js'

const chunk = (index: number) => Buffer.from(`chunk ${index}`)

function bufferOver(store: SpillStore, signal?: AbortSignal): ReorderBuffer {
  return new ReorderBuffer(new ReorderBudget(0, store), signal)
}

async function load(buffer: ReorderBuffer, index: number): Promise<string> {
  return (await buffer.take(index)!.load()).toString()
}

describe('ReorderBuffer', () => {
  it('gives the space on disk back once what was spilled is loaded, and takes some again', async () => {
    const spill = memorySpill()
    const buffer = bufferOver(spill)
    for (const index of [3, 2]) buffer.put(index, index * 10, chunk(index))
    await buffer.stored()
    expect(spill.open).toBe(1)
    expect(await load(buffer, 2)).toBe('chunk 2')
    expect(spill.open).toBe(1)
    expect(await load(buffer, 3)).toBe('chunk 3')
    expect(spill.open).toBe(0)
    buffer.put(5, 50, chunk(5))
    expect(await load(buffer, 5)).toBe('chunk 5')
    expect(spill.open).toBe(0)
  })

  it('leaves nothing behind when it is cleared while it spills', async () => {
    const [mayAppend, kept] = [deferred(), memorySpill()]
    const slow: SpillStore = {
      create: async (): Promise<SpillFile> => {
        const file = await kept.create()
        const append = async (data: Buffer): Promise<number> => {
          await mayAppend.promise
          return file.append(data)
        }
        return {...file, append}
      },
    }
    const buffer = bufferOver(slow)
    for (const index of [2, 3, 4]) buffer.put(index, index * 10, chunk(index))
    const clearing = buffer.clear()
    mayAppend.resolve()
    await clearing
    expect(kept.open).toBe(0)
  })

  it('hands on the signal that ends a wait for the disk', async () => {
    const given: (AbortSignal | undefined)[] = []
    const spill = memorySpill()
    const store: SpillStore = {
      create: (signal) => {
        given.push(signal)
        return spill.create()
      },
    }
    const {signal} = new AbortController()
    const buffer = bufferOver(store, signal)
    buffer.put(2, 10, chunk(2))
    await buffer.clear()
    expect(given).toEqual([signal])
  })
})
