/**
 * Preloaded before streamtool (`node --import killer.mjs bin/run.js …`): kills the process without warning when it
 * reaches a labelled step for the Nth time, and leaves a file that says so.
 */
import {writeFileSync} from 'node:fs'

const {KILL_AT_STEP, KILL_AT_TIME, KILL_MARKER} = process.env
let times = 0

globalThis[Symbol.for('streamtool.step-observer')] = {
  reached(step) {
    if (step !== KILL_AT_STEP) return
    times += 1
    if (times !== Number(KILL_AT_TIME)) return
    writeFileSync(KILL_MARKER, step)
    process.kill(process.pid, 'SIGKILL')
    // Not one more line of the program runs, however late the signal takes effect.
    for (;;);
  },
}
