import {describe, expect, it} from 'vitest'
import type {ConcludedOutcome} from '../../../../src/core/reassembly/assembly.js'
import {ConcludedGenerations} from '../../../../src/core/reassembly/concluded-generations.js'
import {generationKey} from '../../../../src/core/reassembly/generation.js'
import type {OutgoingRecord} from '../../../../src/core/record.js'
import {assemblyOf, read, siteOf} from '../../../support/assemblies.js'
import {recordsFor, text, uploadId} from '../../../support/topic.js'

const content = text(30)
const withId = recordsFor('p', content, {uploadId: uploadId(1)})
const without = recordsFor('p', content, {uploadId: null})

function concluding(generations: ConcludedGenerations) {
  return {
    conclude: (records: readonly OutgoingRecord[], outcome: ConcludedOutcome, offset = 0) => {
      const assembly = assemblyOf(records, siteOf(), offset)
      assembly.conclude(outcome)
      if (outcome === 'delivered') generations.delivered(assembly)
      generations.add(assembly)
      return assembly
    },
    isStray: (record: OutgoingRecord, offset: number) => {
      const {decoded, record: consumed} = read(record, offset)
      return generations.isStray(generationKey(decoded), decoded, consumed)
    },
  }
}

describe('a record that comes when its generation is over', () => {
  it.each<ConcludedOutcome>(['delivered', 'superseded', 'unchanged', 'kept'])(
    'is a stray of an upload with an id that was %s',
    (outcome) => {
      const {conclude, isStray} = concluding(new ConcludedGenerations())
      conclude(withId, outcome)
      expect(withId.map((record, i) => isStray(record, 10 + i))).toEqual([true, true, true])
    },
  )

  it('of one that was parked is a stray only when it was there already: what was missing may still come', () => {
    const {conclude, isStray} = concluding(new ConcludedGenerations())
    conclude(withId.slice(0, 2), 'parked')
    expect(withId.map((record, i) => isStray(record, 10 + i))).toEqual([true, true, false])
  })

  it('without an id is a stray of what its path got last', () => {
    const {conclude, isStray} = concluding(new ConcludedGenerations())
    conclude(without, 'delivered')
    expect(isStray(without[1]!, 10)).toBe(true)
  })

  it('without an id begins the file again once another one has been delivered under its path: A, B, A', () => {
    const {conclude, isStray} = concluding(new ConcludedGenerations())
    conclude(without, 'delivered', 0)
    conclude(recordsFor('p', text(30, 'b'), {uploadId: null}), 'delivered', 3)
    expect(isStray(without[0]!, 6)).toBe(false)
  })

  it('without an id, older than what was delivered, is a stray wherever it was read', () => {
    const {conclude, isStray} = concluding(new ConcludedGenerations())
    conclude(without.slice(0, 1), 'superseded', 0)
    conclude(recordsFor('p', text(30, 'b'), {uploadId: null}), 'delivered', 5)
    expect(isStray(without[1]!, 2)).toBe(true)
  })

  it('without an id, missing when it was superseded, is a stray once, and then a new upload', () => {
    const {conclude, isStray} = concluding(new ConcludedGenerations())
    conclude(without.slice(0, 1), 'superseded', 0)
    conclude(recordsFor('p', text(30, 'b'), {uploadId: null}), 'delivered', 1)
    expect(isStray(without[1]!, 10)).toBe(true)
    expect(isStray(without[1]!, 11)).toBe(false)
  })

  it('of something that was never heard of is none', () => {
    expect(concluding(new ConcludedGenerations()).isStray(withId[0]!, 0)).toBe(false)
  })

  it('is none after offsets began anew', () => {
    const generations = new ConcludedGenerations()
    const {conclude, isStray} = concluding(generations)
    const delivered = conclude(withId, 'delivered', 5)
    const older = assemblyOf(recordsFor('p', text(20), {uploadId: uploadId(2)}), siteOf(), 1)
    expect(generations.hasNewerDelivered(older)).toBe(true)
    expect(generations.hasNewerDelivered(delivered)).toBe(false)
    generations.forget()
    expect(generations.hasNewerDelivered(older)).toBe(false)
    expect(isStray(withId[0]!, 10)).toBe(false)
  })
})
