/** A broker that can die and come back: the sandbox as a process of its own, or Apache Kafka. */
import {type ChildProcess, spawn} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {collect, diesWithUs, ended} from '../processes.js'

const BIN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))

/** What real-kafka.ts offers too. */
export interface MortalBroker {
  readonly bootstrap: string
  /** kill -9; the data stay for `start`. */
  killHard(): Promise<void>
  /** On the same data and port; resolves when it takes connections. */
  start(): Promise<void>
  close(): Promise<void>
}

export async function startSandboxProcess(): Promise<MortalBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'streamtool-sandbox-'))
  let child: ChildProcess | null = null
  let address = '127.0.0.1:0'

  const start = async (): Promise<void> => {
    const port = address.split(':')[1]!
    const args = [BIN, 'sandbox', '--dir', directory, '--kafka-port', port]
    const started = spawn(process.execPath, args)
    child = started
    diesWithUs(started)
    const stderr = collect(started.stderr)
    for await (const line of createInterface({input: started.stdout})) {
      const told = /STREAMTOOL_BROKERS=(\S+)/.exec(line)?.[1]
      if (told === undefined) continue
      address = told
      return
    }
    throw new Error(`the sandbox ended before it was ready: ${stderr().toString()}`)
  }
  const killHard = async (): Promise<void> => {
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = ended(child)
    child.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    bootstrap: address,
    killHard,
    start,
    close: async () => {
      await killHard()
      await rm(directory, {recursive: true, force: true})
    },
  }
}
