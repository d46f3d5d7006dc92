import {describe, expect, it} from 'vitest'
import {PartitionLedger} from '../../../../src/core/offsets/index.js'

const run = (start: number, end: number) => ({start, end})

describe('the safe offset', () => {
  it('stays at the lowest open offset, however much is done above it', () => {
    const ledger = new PartitionLedger(10)
    for (let offset = 10; offset < 15; offset++) expect(ledger.see(offset)).toBe(true)
    ledger.markDone([run(11, 15)])
    expect(ledger.safeOffset).toBe(10)
    expect(ledger.doneRuns()).toEqual([run(11, 15)])
    ledger.markDone([run(10, 11)])
    expect(ledger.safeOffset).toBe(15)
    expect(ledger.doneRuns()).toEqual([])
  })

  it('passes over offsets at which nobody will ever see a record', () => {
    const ledger = new PartitionLedger(0)
    ledger.see(0)
    ledger.see(5)
    ledger.markDone([run(0, 1), run(5, 6)])
    expect(ledger.safeOffset).toBe(6)
  })

  it('passes an aborted tail: the position moves without a record', () => {
    const ledger = new PartitionLedger(3)
    ledger.passTo(9)
    expect(ledger.safeOffset).toBe(9)
    expect(ledger.position).toBe(9)
  })

  it('does not pass an open record below an aborted tail', () => {
    const ledger = new PartitionLedger(3)
    ledger.see(3)
    ledger.passTo(9)
    expect(ledger.safeOffset).toBe(3)
    expect(ledger.doneRuns()).toEqual([run(4, 9)])
  })

  it('never goes back', () => {
    const ledger = new PartitionLedger(5)
    ledger.see(5)
    ledger.markDone([run(5, 6)])
    ledger.markDone([run(0, 3)])
    ledger.writeOffBelow(2)
    expect(ledger.safeOffset).toBe(6)
  })
})

describe('a new owner', () => {
  it('skips what its predecessor had done, and reads what was open', () => {
    const ledger = new PartitionLedger(10, [run(12, 20), run(22, 23)])
    const read = [10, 11, 12, 19, 20, 21, 22, 23].filter((offset) => ledger.see(offset))
    expect(read).toEqual([10, 11, 20, 21, 23])
  })

  it('jumps over a done run to its end', () => {
    const ledger = new PartitionLedger(10, [run(12, 2000)])
    expect(ledger.afterDone(11)).toBe(11)
    expect(ledger.afterDone(12)).toBe(2000)
    expect(ledger.afterDone(500)).toBe(2000)
    expect(ledger.afterDone(3)).toBe(10)
  })

  it('starts behind a run that begins at the committed offset', () => {
    const ledger = new PartitionLedger(10, [run(10, 12)])
    expect(ledger.safeOffset).toBe(12)
    expect(ledger.position).toBe(12)
  })
})

it('what was trimmed is written off, and what was done above it remains', () => {
  const ledger = new PartitionLedger(10, [run(30, 40)])
  ledger.writeOffBelow(25)
  expect(ledger.safeOffset).toBe(25)
  ledger.writeOffBelow(30)
  expect(ledger.safeOffset).toBe(40)
})
