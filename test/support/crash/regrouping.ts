/** Groups that regroup, without anybody's death, while files are open. */
import {partitionForPath} from '../../../src/core/chunk/index.js'
import {seededBytes} from '../trees.js'
import {CrashRun, type CrashRunOptions, type Evidence} from './crash-run.js'
import {untilShared} from './member.js'
import {
  type ChunkedFile,
  chunkedFile,
  manyChunkedFiles,
  produceRounds,
  range,
  writeChunkedFiles,
} from './open-files.js'

const MIB = 1 << 20
const CHUNK_BYTES = 512 * 1024

/** Files that are all open when the group regroups. */
export async function rebalancedAmidOpenFiles(
  options: CrashRunOptions,
  {open, finished}: {open: number; finished: number},
): Promise<Evidence> {
  const run = await CrashRun.begin(options)
  const {name: topic, partitions, newDirectory} = options
  const producer = run.producer
  try {
    const begun = manyChunkedFiles('begun', {count: open, chunks: 4, chunkBytes: 2048})
    const whole = manyChunkedFiles('whole', {count: finished, chunks: 1, chunkBytes: 2048})
    const input = await newDirectory()
    await writeChunkedFiles(input, [...begun, ...whole])
    await run.expect(input)
    const produce = (files: readonly ChunkedFile[], chunks: readonly number[]) =>
      run.counted(() => produceRounds(producer, files, {topic, partitions, chunks}))
    const member = (instance: string) => run.start({args: ['--instance-id', instance]})

    await produce(begun, [1, 2])
    await produce(whole, [1])
    const first = member('first')
    await first.until(`${finished} files are finished beside ${open} open ones`, (events) => {
      return events.filter(({event}) => event === 'file.delivered').length === finished
    })
    const second = member('second')
    await untilShared([first, second], partitions)
    await produce(begun, [3])
    const third = member('third')
    await untilShared([first, second, third], partitions)
    await produce(begun, [4])
    await run.untilAllDelivered()
    await run.untilCommitted()
    for (const each of [first, second, third]) await each.stop()
    run.note(`two rebalances amid ${open} open files`)
    return await run.end()
  } finally {
    await producer.close()
    await run.close()
  }
}

/** Every member of a group is stopped and started, one after another, while each has a large file half done. */
export async function restartedInTurn(
  options: CrashRunOptions,
  {members: memberCount, fileBytes}: {members: number; fileBytes: number},
): Promise<Evidence> {
  const run = await CrashRun.begin(options)
  const {name: topic, partitions, newDirectory} = options
  const producer = run.producer
  try {
    const files = oneFilePerPartition(partitions, fileBytes)
    const input = await newDirectory()
    await writeChunkedFiles(input, files)
    await run.expect(input)
    const chunkCount = files[0]!.chunkCount
    const share = Math.floor(chunkCount / (memberCount + 1))
    const produceShare = (turn: number) =>
      run.counted(() =>
        produceRounds(producer, files, {
          ...{topic, partitions},
          chunks: range(turn * share + 1, turn === memberCount ? chunkCount : (turn + 1) * share),
        }),
      )
    const member = (index: number) => run.start({args: ['--instance-id', `member-${index}`]})
    const running = Array.from({length: memberCount}, (_, index) => member(index))
    await untilShared(running, partitions)
    for (const [index, each] of running.entries()) {
      await produceShare(index)
      // So that all are in the middle of their files, and not before.
      await run.untilUnderConstruction((index + 1) * share * CHUNK_BYTES * partitions)
      await each.stop()
      running[index] = member(index)
      await running[index].untilAssigned()
    }
    await untilShared(running, partitions)
    await produceShare(memberCount)
    await run.untilAllDelivered()
    await run.untilCommitted()
    for (const each of running) await each.stop()
    run.note(`${memberCount} members restarted in turn amid ${partitions} files of ${fileBytes / MIB} MiB`)
    return await run.end()
  } finally {
    await producer.close()
    await run.close()
  }
}

/** One large file for each partition. */
function oneFilePerPartition(partitions: number, fileBytes: number): ChunkedFile[] {
  const files = new Map<number, ChunkedFile>()
  for (let index = 0; files.size < partitions; index++) {
    const path = `large/${index}.raw`
    const partition = partitionForPath(path, partitions)
    if (files.has(partition)) continue
    files.set(partition, chunkedFile(path, seededBytes(index, fileBytes), CHUNK_BYTES))
  }
  return [...files.values()]
}
