import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {coalesce} from '../../../../src/adapters/files/coalesced-sync.js'

/** A sync whose runs end when told. */
function manualSync() {
  const runs: {end: () => void; fail: (error: Error) => void}[] = []
  const sync = coalesce(
    () =>
      new Promise<void>((end, fail) => {
        runs.push({end, fail})
      }),
  )
  return {runs, sync}
}

describe('coalesce', () => {
  it('makes all who ask during a run share the next one', async () => {
    const {runs, sync} = manualSync()
    const first = sync()
    const [second, third] = [sync(), sync()]
    expect(runs).toHaveLength(1)
    runs[0]!.end()
    await first
    await Promise.resolve()
    expect(runs).toHaveLength(2)
    runs[1]!.end()
    await Promise.all([second, third])
    expect(runs).toHaveLength(2)
  })

  it('lets a failed run fail those who shared it, and nobody else', async () => {
    const {runs, sync} = manualSync()
    const first = sync()
    const second = sync()
    runs[0]!.fail(new Error('disk'))
    await expect(first).rejects.toThrow('disk')
    await Promise.resolve()
    runs[1]!.end()
    await second
  })

  it('never resolves before a run that began after the call has ended', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), {minLength: 1, maxLength: 30}), async (delays) => {
        let begun = 0
        let ended = 0
        const ticks = async (count: number): Promise<void> => {
          for (let i = 0; i < count; i += 1) await Promise.resolve()
        }
        const sync = coalesce(async () => {
          const mine = (begun += 1)
          await ticks(3)
          ended = mine
        })
        await Promise.all(
          delays.map(async (delay) => {
            await ticks(delay)
            const begunBefore = begun
            await sync()
            expect(ended).toBeGreaterThan(begunBefore)
          }),
        )
      }),
    )
  })
})
