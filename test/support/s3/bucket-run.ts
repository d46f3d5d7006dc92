/** `s3-transfer` as a process of its own against a bucket that can be looked into, and dying at a step. */
import {fileURLToPath} from 'node:url'
import type {DeliverReport} from '../../../src/core/report.js'
import {Appointment, type Fate} from '../crash/fate.js'
import {type Finished, run} from '../processes.js'
import {BUCKET, type StoreUnderTest} from './bucket-under-test.js'

const BIN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))

export interface BucketRunOptions {
  readonly store: StoreUnderTest
  readonly topic: string
  readonly bootstrap: string
  readonly stateDir: string
  readonly env?: NodeJS.ProcessEnv
}

export interface BucketRun {
  /** Ends with the topic. */
  transfer(...args: readonly string[]): Promise<Finished & {readonly report: DeliverReport | null}>
  /** Gets SIGTERM then. */
  stopped(when: Promise<unknown>, ...args: readonly string[]): Promise<Finished>
  /** @throws when it ended in another way */
  dieAt(fate: Fate, ...args: readonly string[]): Promise<void>
  /** @throws when it failed before */
  dieAfter(ms: number, ...args: readonly string[]): Promise<void>
}

export function bucketRun({store, topic, bootstrap, stateDir, env: more}: BucketRunOptions): BucketRun {
  const env = {
    ...process.env,
    STREAMTOOL_BROKERS: bootstrap,
    STREAMTOOL_STATE_DIR: stateDir,
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    ...more,
  }
  const words = [BIN, 's3-transfer', '--topic', topic, '--bucket', BUCKET, '--once', '--json']
  const all = [...words, '--session-timeout', '6s', '--part-size', '5MiB', '--progress', 'none']
  return {
    async transfer(...args) {
      const finished = await run(process.execPath, [...all, ...args], {env})
      const told = finished.stdout.trim()
      return {...finished, report: told === '' ? null : (JSON.parse(told) as DeliverReport)}
    },
    stopped: (stopWhen, ...args) => run(process.execPath, [...all, ...args], {env, stopWhen}),
    async dieAt(fate, ...args) {
      const appointment = new Appointment(fate)
      const words = [...appointment.nodeArgs, ...all, ...args]
      const {exitCode, signal, stderr} = await run(process.execPath, words, {
        env: {...env, ...appointment.env},
      })
      if (appointment.wasKept()) return
      throw new Error(`never reached ${appointment.label}: ${signal ?? exitCode ?? '-'}\n${stderr}`)
    },
    async dieAfter(ms, ...args) {
      const {exitCode, signal, stderr} = await run(process.execPath, [...all, ...args], {env, timeoutMs: ms})
      if (signal !== 'SIGKILL' && exitCode !== 0) throw new Error(`${signal ?? exitCode ?? '-'}\n${stderr}`)
    },
  }
}
