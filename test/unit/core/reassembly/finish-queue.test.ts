import {describe, expect, it} from 'vitest'
import {FinishQueue} from '../../../../src/core/reassembly/finish-queue.js'
import {assemblyOf} from '../../../support/assemblies.js'
import {deferred} from '../../../support/eventually.js'
import {recordsFor, text} from '../../../support/topic.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const fileAt = (path: string) => assemblyOf(recordsFor(path, text(5)))
const NOTHING = {backlogFiles: 0, backlogBytes: 0, finishing: 0, pathsInTurn: 0}

describe('FinishQueue', () => {
  it('finishes so many at once, and no more', async () => {
    const queue = new FinishQueue(2, 100)
    const gates = [deferred(), deferred(), deferred()]
    const begun: number[] = []
    const runs = gates.map((gate, i) =>
      queue.run(fileAt(`f${i}`), () => {
        begun.push(i)
        return gate.promise
      }),
    )
    await turn()
    expect(begun).toEqual([0, 1])
    gates[1]!.resolve()
    await turn()
    expect(begun).toEqual([0, 1, 2])
    for (const gate of gates) gate.resolve()
    await Promise.all(runs)
    expect(queue.inUse).toEqual(NOTHING)
  })

  it('finishes the generations of a path one after another, in the order in which they were ready', async () => {
    const queue = new FinishQueue(4, 100)
    const order: string[] = []
    const finish = (name: string, turns: number) => async () => {
      order.push(`${name} begins`)
      for (let i = 0; i < turns; i++) await turn()
      order.push(`${name} ends`)
    }
    await Promise.all([
      queue.run(fileAt('p'), finish('older', 5)),
      queue.run(fileAt('p'), finish('newer', 1)),
      queue.run(fileAt('other'), finish('other', 1)),
    ])
    expect(order.filter((each) => !each.startsWith('other'))).toEqual([
      'older begins',
      'older ends',
      'newer begins',
      'newer ends',
    ])
    expect(order.indexOf('other ends')).toBeLessThan(order.indexOf('older ends'))
  })

  it('has room below eight times as many files, and below its bytes', async () => {
    const queue = new FinishQueue(1, 10)
    const files = Array.from({length: 9}, (_, i) => fileAt(`f${i}`))
    for (const file of files) queue.enter(file, 0)
    let hasRoom = false
    const waiting = queue.hasRoom().then(() => (hasRoom = true))
    await turn()
    expect(hasRoom).toBe(false)
    queue.leave(files[0]!)
    await waiting

    const large = fileAt('large')
    for (const file of files) queue.leave(file)
    queue.enter(large, 11)
    hasRoom = false
    const waitingForBytes = queue.hasRoom().then(() => (hasRoom = true))
    await turn()
    expect(hasRoom).toBe(false)
    queue.leave(large)
    await waitingForBytes
    expect(queue.inUse).toEqual(NOTHING)
  })

  it('counts a file once, however often it enters and leaves', async () => {
    const queue = new FinishQueue(1, 10)
    const file = fileAt('f')
    queue.enter(file, 4)
    queue.enter(file, 4)
    expect(queue.inUse).toMatchObject({backlogFiles: 1, backlogBytes: 4})
    queue.leave(file)
    queue.leave(file)
    expect(queue.inUse).toEqual(NOTHING)
    await queue.isEmpty()
  })
})
