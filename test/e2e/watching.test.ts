/** Probes of running commands: ready, not ready while the broker is gone or a stop is under way, and ready again. */
import {type ChildProcess, spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {eventually} from '../support/eventually.js'
import {collect, diesWithUs, ended} from '../support/processes.js'
import {temporaryDirectory} from '../support/temporary-directory.js'
import {streamtoolJson} from '../support/cli.js'
import {writeSmallFiles} from '../support/trees.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

interface Running {
  readonly child: ChildProcess
  readonly gone: Promise<[number | null, NodeJS.Signals | null]>
  readonly url: string
  words(): string
}

async function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const child = spawn(process.execPath, [BIN, ...args], {env: {...process.env, ...env}})
  diesWithUs(child)
  const gone = ended(child)
  const stderr = collect(child.stderr)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const words = () => stderr().toString()
  await eventually('it serves', () => words().includes('Probes and metrics: http'))
  const url = /Probes and metrics: (http:\S+)/.exec(words())?.[1] ?? ''
  return {child, gone, url: url.replace('0.0.0.0', '127.0.0.1'), words}
}

const ask = async (url: string) => {
  const response = await fetch(url)
  return {status: response.status, text: await response.text()}
}

describe('a relay started as Data Flow starts it', () => {
  it('waits for the broker from its start on, is ready, is not while it is gone, is again without a restart, and drains', async () => {
    const properties = {
      'spring.cloud.stream.bindings.input.destination': 'text-reversal.http',
      'spring.cloud.stream.bindings.input.group': 'text-reversal',
      'spring.cloud.stream.bindings.output.destination': 'text-reversal.python-processor',
      'spring.cloud.stream.kafka.binder.brokers': `PLAINTEXT://${broker.bootstrap}`,
      'server.port': '0',
      'management.endpoint.health.probes.enabled': 'true',
    }
    await broker.killHard()
    const args = Object.entries(properties).map(([key, value]) => `--${key}=${value}`)
    const relay = await start(['passthrough', ...args, '--reversestring=true', '$@', '--'])
    const readiness = () => ask(`${relay.url}/actuator/health/readiness`)
    await eventually('it waits', () => relay.words().includes('cannot be reached at the moment'))
    expect(await readiness()).toEqual({status: 503, text: '{"status":"OUT_OF_SERVICE"}'})
    await broker.start()
    await eventually('it is ready', async () => (await readiness()).status === 200)

    await broker.killHard()
    await eventually('it is not ready', async () => (await readiness()).status === 503)
    expect(await readiness()).toEqual({status: 503, text: '{"status":"DOWN"}'})
    expect(await ask(`${relay.url}/actuator/health`)).toMatchObject({status: 503})
    expect(await ask(`${relay.url}/actuator/health/liveness`)).toEqual({status: 200, text: '{"status":"UP"}'})
    await broker.start()
    await eventually('it is ready again', async () => (await readiness()).status === 200)

    relay.child.kill('SIGTERM')
    expect(await relay.gone).toEqual([0, null])
  })
})

describe('reconstruct with --metrics-port', () => {
  it('tells what it has delivered, and how ready it is', async () => {
    const [input, parent, stateDir] = [
      await temporaryDirectory(),
      await temporaryDirectory(),
      await temporaryDirectory(),
    ]
    const env = {
      STREAMTOOL_BROKERS: broker.bootstrap,
      STREAMTOOL_STATE_DIR: stateDir,
      SPRING_CLOUD_DATAFLOW_STREAM_NAME: 'files',
    }
    await writeSmallFiles(input, 20)
    await streamtoolJson(['upload', input, '--topic', 'watched'], {env: {...process.env, ...env}})
    const run = await start(
      [
        'reconstruct',
        '--topic',
        'watched',
        '--output',
        `${parent}/out`,
        '--metrics-port',
        '0',
        '--progress',
        'none',
      ],
      env,
    )
    const metrics = async () => (await ask(`${run.url}/metrics`)).text
    await eventually('all are delivered', async () =>
      (await metrics()).includes('streamtool_files_delivered_total{stream_name="files"} 20.0'),
    )
    await eventually('it is ready', async () => (await ask(`${run.url}/readyz`)).status === 200)
    expect(await metrics()).toMatch(
      /streamtool_partition_lag\{group="streamtool-[^"]+",partition="0",stream_name="files",topic="watched"\} \d+\.0/,
    )
    expect(await metrics()).toMatch(/streamtool_records_read_total\{stream_name="files"\} 20\.0/)
    run.child.kill('SIGTERM')
    await sleep(0)
    expect(await run.gone).toEqual([0, null])
  })
})
