/** Two members that keep the partitions together: the owner dies in the middle of its files. */
import {expect} from 'vitest'
import {seededBytes, readTree, writeTree} from '../trees.js'
import {SpreadTopic} from '../spread-topic.js'
import {eventually} from '../eventually.js'
import {Member} from './member.js'

const PARTITIONS = 4
const FILES = 60

export async function standbyTakesOver(
  bootstrap: string,
  newDirectory: () => Promise<string>,
  sessionTimeout: string,
): Promise<void> {
  const spread = await SpreadTopic.create(bootstrap, 'together', PARTITIONS)
  const [input, output, stateDir] = [await newDirectory(), await newDirectory(), await newDirectory()]
  const files = Array.from({length: FILES}, (_, index) => ({
    path: `run ${index % 5}/file-${index}.raw`,
    content: seededBytes(index, 7000 + index),
    mtimeSeconds: null,
  }))
  await writeTree(input, Object.fromEntries(files.map(({path, content}) => [path, content])))
  const member = () =>
    new Member({
      topic: 'together',
      output,
      env: {...process.env, STREAMTOOL_BROKERS: bootstrap, STREAMTOOL_STATE_DIR: stateDir},
      args: ['--assignment', 'together', '--session-timeout', sessionTimeout],
    })
  const members = [member(), member()]
  try {
    const holding = (count: number) => members.find(({partitions}) => partitions?.length === count)
    await eventually('one has all partitions, the other none', () =>
      [PARTITIONS, 0].every((count) => holding(count) !== undefined),
    )
    const [owner, standby] = [holding(PARTITIONS)!, holding(0)!]
    // Some whole, the others still open when it dies.
    await spread.send(files.slice(0, 20))
    await spread.send(files.slice(20), 0, 4)
    await owner.until(
      'it has delivered some',
      (events) => events.filter(({event}) => event === 'file.delivered').length >= 20,
    )
    await owner.kill()
    await spread.send(files.slice(20), 4)
    await standby.until('it was given them all', () => standby.partitions?.length === PARTITIONS)
    await standby.until(
      'it has delivered the rest',
      (events) => events.filter(({event}) => event === 'file.delivered').length >= FILES - 20,
    )
    // A standby that comes late moves nothing.
    const third = member()
    members.push(third)
    await third.until('it stands by', () => third.partitions?.length === 0)
    expect(standby.partitions).toHaveLength(PARTITIONS)

    await standby.until('it committed to the end', (events) =>
      events.some(({event}) => event === 'committed'),
    )
    const report = await standby.stop()
    expect(report.files).toMatchObject({failed: 0, open: 0, incomplete: 0})
    await third.until('it took over in turn', () => third.partitions?.length === PARTITIONS)
    await third.stop()
    const content = async (root: string) =>
      Object.fromEntries(Object.entries(await readTree(root)).map(([path, {sha256}]) => [path, sha256]))
    expect(await content(output)).toEqual(await content(input))
  } finally {
    await Promise.all(members.filter(({isRunning}) => isRunning).map((each) => each.kill()))
    await spread.close()
  }
}
