/** A partition whose first file never becomes complete, so that its safe offset stays while much is done above it. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {DeliverReport} from '../../../src/core/report.js'
import {CrashRun, type CrashRunOptions} from './crash-run.js'
import type {TimedEvent} from './member.js'
import {chunkedFile, manyChunkedFiles, produceRounds} from './open-files.js'

export interface RestartFacts {
  /** Of the restart after all were delivered: it knows from the last commit what is done. */
  readonly report: DeliverReport
  readonly secondsToAssignment: number
  readonly secondsInAll: number
  readonly delivered: number
}

/** Delivers them all, is killed, and is started again with `--once`. */
export async function restartBesideOneOldFile(
  options: CrashRunOptions,
  files: number,
): Promise<RestartFacts> {
  const run = await CrashRun.begin(options)
  const {name: topic, partitions} = options
  const producer = run.producer
  try {
    const old = chunkedFile('old.raw', Buffer.alloc(3000, 'old'), 1000)
    const small = manyChunkedFiles('small', {count: files, chunks: 1, chunkBytes: 300})
    await produceRounds(producer, [old], {topic, partitions, chunks: [1, 2]})
    await produceRounds(producer, small, {topic, partitions, chunks: [1]})

    const first = run.start()
    let delivered = 0
    let seen = 0
    const isThrough = (events: readonly TimedEvent[]) => {
      for (; seen < events.length && delivered < files; seen++)
        if (events[seen]!.event === 'file.delivered') delivered += 1
      return delivered === files && events.slice(seen).some(({event}) => event === 'committed')
    }
    await first.until(`${files} files are delivered, and committed`, isThrough, 400_000)
    // That commit may have been under way when the last files were finished.
    await sleep(6_000)
    await first.kill()

    const startedAt = performance.now()
    const second = run.start({args: ['--once']})
    const report = await second.report()
    const secondsInAll = (performance.now() - startedAt) / 1000
    const secondsToAssignment = second.secondsToAssignment ?? Infinity
    console.log(
      `${topic}: ${delivered} files delivered beside one old file; after kill -9 it had its partitions in ` +
        `${secondsToAssignment.toFixed(2)} s and was through in ${secondsInAll.toFixed(2)} s, having read ` +
        `${report.records} records again and delivered ${report.files.delivered}`,
    )
    return {report, secondsToAssignment, secondsInAll, delivered}
  } finally {
    await producer.close()
    await run.close()
  }
}
