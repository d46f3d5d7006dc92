import {describe, expect, it} from 'vitest'
import {Assembly} from '../../../../src/core/reassembly/assembly.js'
import {SharedStore, StoreDestination} from '../../../support/delivery.js'
import {assemblyOf, read, siteOf} from '../../../support/assemblies.js'
import {FaultyDestination} from '../../../support/faulty-destination.js'
import {Gate, mismatching, recordsFor, text} from '../../../support/topic.js'

const content = Buffer.from('0123456789abcdefghijABCDEFGHIJ...')
const records = recordsFor('p', content)
const shuffled = [records[2]!, records[3]!, records[0]!, records[2]!, records[1]!]

describe('rebuilding a file', () => {
  it('hands its chunks over in file order, each once, and is complete only then', async () => {
    const store = new SharedStore()
    const site = siteOf(new StoreDestination(store))
    const assembly = assemblyOf(shuffled, site)
    expect(assembly.progress).toBe('complete')
    await assembly.absorbed()
    expect(site.writtenAll).toEqual([assembly])
    expect(store.files.size).toBe(0)
    assembly.verify()
    expect(await assembly.finish()).toBe('delivered')
    expect(store.content('p')).toBe(content.toString('latin1'))
    expect(site.reorder.bytes.value).toBe(0)
  })

  it('does the same by way of the spill, and closes it', async () => {
    const store = new SharedStore()
    const site = siteOf(new StoreDestination(store), 0)
    const assembly = assemblyOf(shuffled, site)
    await assembly.absorbed()
    expect(site.spill.spilledBytes).toBe(13)
    expect(site.spill.open).toBe(0)
    assembly.verify()
    await assembly.finish()
    expect(store.content('p')).toBe(content.toString('latin1'))
  })

  it('keeps nothing of a record: its buffer may be used again once it is absorbed', async () => {
    const store = new SharedStore()
    const site = siteOf(new StoreDestination(store))
    const [first, ...rest] = [3, 1, 2, 0].map((i, offset) => read(records[i]!, offset))
    const assembly = new Assembly('key', first!.decoded, first!.record, site)
    for (const {decoded, record} of [first!, ...rest]) {
      assembly.accept(decoded, record, 0)
      await assembly.absorbed()
      record.value!.fill(0)
    }
    assembly.verify()
    await assembly.finish()
    expect(store.content('p')).toBe(content.toString('latin1'))
  })

  it('tells that it is not what was announced before anything is visible', async () => {
    const store = new SharedStore()
    const assembly = assemblyOf(mismatching(records), siteOf(new StoreDestination(store)))
    await assembly.absorbed()
    expect(() => assembly.verify()).toThrow(expect.objectContaining({code: 'FILE_HASH_MISMATCH'}))
    expect(store.files.size).toBe(0)
  })

  it('breaks at a chunk that lies about its place', async () => {
    const site = siteOf()
    const assembly = assemblyOf([records[0]!], site)
    const lying = read(records[1]!, 1)
    const decoded = {...lying.decoded, chunk: {...lying.decoded.chunk, offsetBytes: 11}}
    assembly.accept(decoded, lying.record, 0)
    await assembly.absorbed()
    expect(site.broken).toMatchObject([{code: 'FILE_HASH_MISMATCH'}])
  })

  it.each(['open', 'write'] as const)(
    'breaks once when its destination fails at %s, and absorbs the rest',
    async (at) => {
      const destination = new FaultyDestination(
        new SharedStore(),
        new Map([['p', {at, code: 'FILE_NAME_CONFLICT' as const, times: Infinity}]]),
      )
      const site = siteOf(destination)
      const assembly = assemblyOf(records, site)
      await assembly.absorbed()
      expect(site.broken).toMatchObject([{assembly, code: 'FILE_NAME_CONFLICT'}])
      expect(site.writtenAll).toEqual([])
      await assembly.discard()
      expect(destination.openWriters).toBe(0)
    },
  )

  it('given up in the middle leaves nothing: no writer, no memory, no spill file', async () => {
    const gate = new Gate()
    const destination = new FaultyDestination(new SharedStore(), new Map(), gate.pass)
    const site = siteOf(destination, 10)
    const assembly = assemblyOf([records[3]!, records[2]!, records[0]!], site)
    await gate.reached
    const discarded = assembly.discard()
    gate.open()
    await discarded
    expect(site.broken).toEqual([])
    expect({
      writers: destination.openWriters,
      spill: site.spill.open,
      bytes: site.reorder.bytes.value,
    }).toEqual({
      writers: 0,
      spill: 0,
      bytes: 0,
    })
    expect(assembly.signal.aborted).toBe(true)
  })

  it('of an empty file writes nothing and finishes', async () => {
    const store = new SharedStore()
    const assembly = assemblyOf(recordsFor('empty', text(0)), siteOf(new StoreDestination(store)))
    await assembly.absorbed()
    assembly.verify()
    await assembly.finish()
    expect(store.content('empty')).toBe('')
  })
})
