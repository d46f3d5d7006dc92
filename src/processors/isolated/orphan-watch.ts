/** A thread of a forked process: ends that when its parent is gone, also while its event loop is blocked. */
import {workerData} from 'node:worker_threads'
import {killOwnGroup} from '../process-group.js'

const LOOK_MS = 1_000

const {parentPid} = workerData as {readonly parentPid: number}
setInterval(() => {
  if (process.ppid !== parentPid) killOwnGroup()
}, LOOK_MS)
