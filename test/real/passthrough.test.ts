/** `passthrough` on Apache Kafka: what kill -9 costs, and what an outage of the broker does. */
import {randomInt} from 'node:crypto'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, it, onTestFinished} from 'vitest'
import type {RelayReport} from '../../src/core/report.js'
import {streamtoolJson} from '../support/cli.js'
import {eventually} from '../support/eventually.js'
import {onRealKafka} from '../support/on-real-kafka.js'
import {mixedRecord} from '../support/relay/mixed-records.js'
import {RelayOutputWatch} from '../support/relay/output-watch.js'
import {RelayProcess} from '../support/relay/relay-process.js'

const INPUT_PARTITIONS = 4
/** Another number, so that what is in one partition goes to several. */
const OUTPUT_PARTITIONS = 3
const OUTAGE_MS = 8000

const on = onRealKafka()

interface Stage {
  readonly input: string
  readonly output: string
  readonly group: string
  readonly watch: RelayOutputWatch
  /** Puts so many records more on the input, as many on each partition. */
  readonly feed: (count: number) => Promise<void>
}

async function stage(name: string): Promise<Stage> {
  const names = {input: `${name}-in`, output: `${name}-out`, group: name}
  const [admin, producer] = [on.kafka.admin(), on.kafka.producer()]
  await admin.createTopic(names.input, {partitions: INPUT_PARTITIONS})
  await admin.createTopic(names.output, {partitions: OUTPUT_PARTITIONS})
  let next = 0
  const feed = async (count: number) => {
    const [first, end] = [next, (next += count / INPUT_PARTITIONS)]
    for (let start = first; start < end; start += 500)
      for (let partition = 0; partition < INPUT_PARTITIONS; partition++) {
        const length = Math.min(500, end - start)
        const records = Array.from({length}, (_, i) => mixedRecord({partition, offset: start + i}))
        await producer.send({topic: names.input, partition, records})
      }
  }
  return {...names, feed, watch: new RelayOutputWatch(admin, on.kafka.reader(), names)}
}

/** The last commit has everything. */
async function expectAllCommitted({input, group}: Stage): Promise<void> {
  const ends = (await on.kafka.admin().partitionRanges(input)).map(({end}) => end)
  const committed = [...(await on.kafka.admin().committedOffsets(group, input))]
  expect(committed.sort((a, b) => a.partition - b.partition).map(({offset}) => offset)).toEqual(ends)
}

it('kill -9 at random moments over 100,000 records: none lost, the order kept, few come again', async () => {
  const deaths = 12
  // What a commit is made after, and as much while one is under way; beside what --memory lets be under way.
  const windowRecords = 2 * 10_000 + 4000
  const relayed = await stage('kills')
  const {input, output, group, feed, watch} = relayed
  const args = ['--input', input, '--output', output, '--group', group, '--instance-id', 'only']
  await feed(52_000)

  const moments: string[] = []
  for (let death = 0; death < deaths; death++) {
    const relay = new RelayProcess([...args, '--memory', '512KiB'], on.env)
    const fed = feed(4000)
    // In the middle of its work, however fast the machine is; in a third of the lives after a commit.
    const [written, moreMs] = [randomInt(15_000), randomInt(50)]
    await relay.until('it has written so much', async () => (await watch.notLookedAt()) >= written)
    await sleep(moreMs)
    await relay.kill()
    await fed
    moments.push(`${await watch.look()} written`)
  }
  await streamtoolJson<RelayReport>(['passthrough', ...args, '--once', '--progress', 'none'], {env: on.env})
  await watch.look()

  const evidence = watch.evidence()
  console.log(`kills after ${moments.join(', ')}; ${JSON.stringify(evidence)}`)
  expect(evidence).toMatchObject({distinct: 100_000, outOfOrder: [], againThoughCommitted: []})
  expect(evidence.largestWindow).toBeLessThanOrEqual(windowRecords)
  expect(evidence.again).toBeLessThanOrEqual(evidence.writtenInVain)
  expect(evidence.runsAgain).toBeLessThanOrEqual(deaths)
  await expectAllCommitted(relayed)
})

it('an outage of the broker: not ready, ready again without a restart, and nothing is lost', async () => {
  const relayed = await stage('outage')
  const {input, output, group, feed, watch} = relayed
  const properties = {
    'spring.cloud.stream.bindings.input.destination': input,
    'spring.cloud.stream.bindings.input.group': group,
    'spring.cloud.stream.bindings.output.destination': output,
    'spring.cloud.stream.kafka.binder.brokers': on.broker.bootstrap,
    'server.port': '0',
    'management.endpoint.health.probes.enabled': 'true',
  }
  const args = Object.entries(properties).map(([key, value]) => `--${key}=${value}`)
  await feed(20_000)
  // So little under way at a time that the outage falls into the middle.
  const relay = new RelayProcess([...args, '--memory', '32KiB'], on.env)
  onTestFinished(() => relay.kill())
  const url = await relay.untilServing()
  const probe = async (group: string) => (await fetch(`${url}/actuator/health/${group}`)).status
  const liveness = new Set<number>()
  const readinessIs = (status: number) =>
    relay.until(`readiness is ${status}`, async () => {
      liveness.add(await probe('liveness'))
      return (await probe('readiness')) === status
    })
  await readinessIs(200)
  await relay.until('it has begun', async () =>
    (await on.kafka.admin().partitionRanges(output)).some(({end}) => end > 0),
  )

  await on.broker.killHard()
  const over = sleep(OUTAGE_MS)
  await readinessIs(503)
  await over
  await on.broker.start()
  await readinessIs(200)
  await feed(4000)
  await eventually('all is relayed', async () => (await watch.look(), watch.distinct) === 24_000, 60_000, 200)
  await relay.stop()

  expect([...liveness]).toEqual([200])
  const evidence = watch.evidence()
  console.log(`outage; ${JSON.stringify(evidence)}`)
  expect(evidence).toMatchObject({distinct: 24_000, outOfOrder: [], againThoughCommitted: []})
  await expectAllCommitted(relayed)
})
