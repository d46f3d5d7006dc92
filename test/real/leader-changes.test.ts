/** Partitions change their leader, or lose it, in the middle of uploading and of delivering. */
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {DeliverReport, UploadReport} from '../../src/core/report.js'
import {streamtoolJson} from '../support/cli.js'
import {type RealKafkaPair, startRealKafkaPair} from '../support/real-kafka.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {type FileFacts, readTree, writeLargeFile, writeSmallFiles} from '../support/trees.js'

const SMALL_FILES = 6_000
const LARGE_FILES = 3
const PARTITIONS = 4
/** More would only keep it from getting on. */
const MOVES = 8
const DEATHS = 2
const newDirectory = temporaryDirectories()

let kafka: RealKafkaPair
let env: NodeJS.ProcessEnv
let input: string
let expected: Record<string, FileFacts>
beforeAll(async () => {
  kafka = await startRealKafkaPair()
  env = {
    ...process.env,
    STREAMTOOL_BROKERS: kafka.bootstrap,
    STREAMTOOL_STATE_DIR: await newDirectory(),
  }
  input = await newDirectory()
  await writeSmallFiles(input, SMALL_FILES)
  for (let index = 0; index < LARGE_FILES; index++)
    await writeLargeFile(join(input, `${index}.raw`), (96 << 20) + index)
  expected = await readTree(input)
})
afterAll(() => kafka.close())

const upload = (topic: string) => streamtoolJson<UploadReport>(['upload', input, '--topic', topic], {env})
const reconstruct = (topic: string, output: string) =>
  streamtoolJson<DeliverReport>(['reconstruct', '--topic', topic, '--output', output, '--once'], {env})

/** @returns how often something happened while the work went on */
async function meanwhile<T>(
  work: Promise<T>,
  happens: () => Promise<void>,
  atMost: number,
): Promise<{done: T; times: number}> {
  let isOver = false
  const stillGoing = () => !isOver
  const watched = work.finally(() => (isOver = true))
  let times = 0
  while (stillGoing() && times < atMost) {
    await happens()
    // What was going on at the end was not in the middle.
    if (stillGoing()) times += 1
  }
  return {done: await watched, times}
}

describe.each([
  {replicas: 'one replica, which moves from broker to broker', places: [[1], [2]]},
  {
    replicas: 'two replicas, which lead in turn',
    places: [
      [1, 2],
      [2, 1],
    ],
  },
])('$replicas', ({places}) => {
  const topic = `led-by-turns-${places[0]!.length}`
  let turn = 0
  const moveOn = () => kafka.moveTopic(topic, places[++turn % places.length]!)

  it('while files are uploaded: every one is on the topic', async () => {
    await kafka.createTopic(
      topic,
      Array.from({length: PARTITIONS}, () => places[0]!),
    )
    const {done, times} = await meanwhile(upload(topic), moveOn, MOVES)
    expect(times, 'leader changes in the middle').toBeGreaterThanOrEqual(2)
    expect(done).toMatchObject({problems: [], files: {uploaded: SMALL_FILES + LARGE_FILES, failed: 0}})
    console.log(`${topic}: leaders changed ${times} times in ${done.seconds.toFixed(1)} s of uploading`)
  })

  it('while they are delivered: all come out identical', async () => {
    const output = await newDirectory()
    const {done, times} = await meanwhile(reconstruct(topic, output), moveOn, MOVES)
    expect(times, 'leader changes in the middle').toBeGreaterThanOrEqual(2)
    expect(done).toMatchObject({problems: [], files: {delivered: SMALL_FILES + LARGE_FILES, incomplete: 0}})
    expect(await readTree(output)).toEqual(expected)
    console.log(`${topic}: leaders changed ${times} times in ${done.seconds.toFixed(1)} s of delivering`)
  })
})

describe('a broker that leads half of the partitions is killed', () => {
  const topic = 'half-dead'
  let deaths = 0
  const dieAndReturn = async () => {
    await kafka.killSecond()
    deaths += 1
    await kafka.startSecond()
    await kafka.moveTopic(topic, [2, 1])
  }

  it('while files are uploaded: every one is on the topic', async () => {
    await kafka.createTopic(topic, [
      [1, 2],
      [2, 1],
      [1, 2],
      [2, 1],
    ])
    const {done} = await meanwhile(upload(topic), dieAndReturn, DEATHS)
    expect(deaths).toBeGreaterThanOrEqual(1)
    expect(done).toMatchObject({problems: [], files: {uploaded: SMALL_FILES + LARGE_FILES, failed: 0}})
    console.log(`${topic}: ${deaths} deaths of a leader in ${done.seconds.toFixed(1)} s of uploading`)
  })

  it('while they are delivered: all come out identical', async () => {
    deaths = 0
    const output = await newDirectory()
    const {done} = await meanwhile(reconstruct(topic, output), dieAndReturn, DEATHS)
    expect(deaths).toBeGreaterThanOrEqual(1)
    expect(done).toMatchObject({problems: [], files: {delivered: SMALL_FILES + LARGE_FILES, incomplete: 0}})
    expect(await readTree(output)).toEqual(expected)
    console.log(`${topic}: ${deaths} deaths of a leader in ${done.seconds.toFixed(1)} s of delivering`)
  })
})
