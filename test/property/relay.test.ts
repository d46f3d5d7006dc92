import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {RecordTransform} from '../../src/core/relay/index.js'
import {identity} from '../../src/core/relay/index.js'
import {put, recordsOn, relay, relayKafka} from '../support/relay.js'

/**
 * The laws of a relay, under any spread over partitions, any failure of the output and of commits, and a crash or
 * rebalance at any point:
 *
 * - every record is on the output at least once, and nothing else is;
 * - of one input partition in one output partition the first copies are in order, and a copy comes only as part of a
 *   run that was sent again;
 * - what is committed never passes a record that the output has not acknowledged;
 * - a further run writes nothing.
 */
const scenario = fc.record({
  inPartitions: fc.integer({min: 1, max: 3}),
  outPartitions: fc.integer({min: 1, max: 3}),
  keys: fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd')), {minLength: 1, maxLength: 60}),
  fetchRecords: fc.integer({min: 1, max: 20}),
  isAsync: fc.boolean(),
  inFlightBytes: fc.constantFrom(100, 1 << 20),
  disturbances: fc.array(
    fc.record({
      atRecord: fc.integer({min: 1, max: 60}),
      kind: fc.constantFrom(
        'kill',
        'rebalance',
        'produce-lost',
        'produce-doubled',
        'produce-refused',
        'commit-lost',
      ),
    }),
    {maxLength: 4},
  ),
})

describe('a relay', () => {
  it('keeps its laws under any failure, crash and rebalance', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (plan) => {
        const kafka = await relayKafka(plan, {fetchRecords: plan.fetchRecords})
        for (const [i, key] of plan.keys.entries()) {
          const partition = i % plan.inPartitions
          await put(kafka, [{key: key === null ? null : Buffer.from(key), value: `${partition}:${i}`}], {
            partition,
          })
        }
        const run = async (disturbance: (typeof plan.disturbances)[number] | null) => {
          let seen = 0
          let kill: () => void = () => undefined
          const killed = new Promise<'killed'>((resolve) => (kill = () => resolve('killed')))
          const gone = {isGone: false}
          const transform: RecordTransform = {
            ...identity,
            transform: (record) => {
              seen += 1
              if (disturbance !== null && seen === disturbance.atRecord) {
                if (disturbance.kind === 'kill') {
                  gone.isGone = true
                  kill()
                } else if (disturbance.kind === 'rebalance') kafka.forceRebalance('g')
                else if (disturbance.kind === 'produce-lost') kafka.failNext('produce', 'answer-lost')
                else if (disturbance.kind === 'produce-doubled') kafka.failNext('produce', 'duplicated')
                else if (disturbance.kind === 'produce-refused') kafka.failNext('produce', 'refused')
                else kafka.failNext('commit', 'answer-lost')
              }
              const answer = identity.transform(record, new AbortController().signal)
              return plan.isAsync ? Promise.resolve(answer) : answer
            },
          }
          const producer = kafka.producer()
          const zombie = new AbortController()
          const running = relay({
            kafka,
            transform,
            signal: zombie.signal,
            producer: {
              ...producer,
              send: (batch, signal) =>
                gone.isGone ? new Promise(() => undefined) : producer.send(batch, signal),
            },
            options: {
              flow: {
                inFlightBytes: plan.inFlightBytes,
                inFlightRecords: 50,
                commitIntervalMs: 60_000,
                commitRecords: 7,
              },
            },
          })
          const ended = await Promise.race([running.catch((error: unknown) => ({error})), killed])
          if (ended === 'killed') {
            running.catch(() => undefined)
            for (const {memberId} of await kafka.admin().groupMembers('g'))
              kafka.expireMember('g', memberId, {noticedAfter: new Promise(() => undefined)})
          }
          return {zombie, ended}
        }
        const zombies = []
        for (const disturbance of plan.disturbances) zombies.push((await run(disturbance)).zombie)
        // A fault that nobody met yet may end one run more each.
        for (
          let last: unknown = 'killed';
          last === 'killed' || (last as {error?: unknown}).error !== undefined;
        ) {
          const {zombie, ended} = await run(null)
          zombies.push(zombie)
          last = ended
        }

        const out = await recordsOn(kafka)
        const values = new Set(out.flat().map(({value}) => String(value)))
        expect([...values].sort()).toEqual(plan.keys.map((_, i) => `${i % plan.inPartitions}:${i}`).sort())
        for (const records of out)
          for (let p = 0; p < plan.inPartitions; p++)
            expect(
              isInOrder(
                records.map(({value}) => String(value)),
                p,
              ),
            ).toBe(true)
        const before = out.flat().length
        const again = await run(null)
        expect((await recordsOn(kafka)).flat().length).toBe(before)
        for (const zombie of [...zombies, again.zombie]) zombie.abort()
      }),
      {numRuns: 150, endOnFailure: false},
    )
  })
})

/** Every first copy comes after the first copies of what was before it. */
function isInOrder(values: readonly string[], inPartition: number): boolean {
  const firsts = [...new Set(values.filter((value) => value.startsWith(`${inPartition}:`)))]
  const numbers = firsts.map((value) => Number(value.split(':')[1]))
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))
}
