import {describe, expect, it, onTestFinished} from 'vitest'
import {parsePassthrough} from '../../../src/cli/spring/index.js'
import {lateControl, openPassthroughWatching} from '../../../src/cli/watching.js'
import type {RunControl} from '../../../src/core/ports/index.js'
import {silentLogger} from '../../support/delivery.js'

const RELAY = {inputs: ['a'], output: 'b', group: 'g'}

async function served(argv: readonly string[], control: RunControl, metricsPort?: number) {
  const {spring} = await parsePassthrough(argv, {}, '/nonexistent')
  const values = metricsPort === undefined ? {} : {metricsPort}
  const server = await openPassthroughWatching(values, spring, control, silentLogger)
  onTestFinished(async () => server?.close())
  return server?.urls[0] ?? null
}

const SPRING = [
  '--spring.cloud.stream.bindings.transform-in-0.destination=a',
  '--spring.cloud.stream.bindings.transform-out-0.destination=b',
  '--management.endpoints.web.exposure.include=bindings',
  '--server.port=0',
  '--server.address=127.0.0.1',
]

describe('what passthrough serves', () => {
  it('is not ready before there is anything to ask, and has the names of the user for its bindings', async () => {
    const paused: string[] = []
    const control = lateControl(RELAY, () => undefined)
    const url = await served(SPRING, control)
    expect((await fetch(`${url ?? ''}/readyz`)).status).toBe(503)
    const before = control.status()
    control.is({
      ...control,
      status: () => ({...before, phase: 'running'}),
      pause: async (name) => void paused.push(name),
    })
    // The one that was handed over answers from now on.
    expect(await (await fetch(`${url ?? ''}/actuator/bindings`)).json()).toMatchObject([
      {bindingName: 'transform-in-0', name: 'a'},
      {bindingName: 'transform-out-0', name: 'b'},
    ])
    const pause = (name: string) =>
      fetch(`${url ?? ''}/actuator/bindings/${name}`, {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: '{"state":"PAUSED"}',
      })
    expect((await pause('transform-in-0')).status).toBe(204)
    await pause('nope')
    expect(paused).toEqual(['input', ''])
  })

  it('is nothing unless it was asked for, and --metrics-port is stronger than server.port', async () => {
    const control = lateControl(RELAY, () => undefined)
    expect(await served(['--input', 'a'], control)).toBeNull()
    expect(await served([...SPRING.slice(0, 3), '--server.port=1'], control, 0)).toMatch(
      /^http:\/\/127\.0\.0\.1:/,
    )
  })
})
