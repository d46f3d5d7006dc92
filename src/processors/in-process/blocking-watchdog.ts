/** The thread that watches the beats of another (blocking-watch.ts), and writes past it, which cannot write itself. */
import {writeSync} from 'node:fs'
import {workerData} from 'node:worker_threads'
import {TEXT_AT, type WatchdogData} from './blocking-watch.js'

/** Two waits in a row: a machine that slept wakes up in one of them. */
const WAITS_MS = [8_000, 2_000] as const
const STDERR = 2

const {shared, processor} = workerData as WatchdogData
const cells = new Int32Array(shared, 0, 2)

for (;;) {
  const beat = Atomics.load(cells, 0)
  const isBlocked = WAITS_MS.every((ms) => Atomics.wait(cells, 0, beat, ms) === 'timed-out')
  if (!isBlocked) continue
  const text = Buffer.from(shared, TEXT_AT, Atomics.load(cells, 1)).toString()
  if (text !== '')
    writeSync(
      STDERR,
      `warning: ${processor} has kept the event loop to itself for ${WAITS_MS[0] / 1000 + WAITS_MS[1] / 1000} s, working on ${printable(text)}. No heartbeat is sent meanwhile, and the group gives its partitions away. Run it with --isolate process.\n`,
    )
  Atomics.wait(cells, 0, beat)
}

/** Paths come from anybody. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
