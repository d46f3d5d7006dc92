/** What can be seen only in a process of its own: errors that nobody awaits, and an event loop that stands still. */
import {execFile} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {describe, expect, it} from 'vitest'
import {temporaryDirectories} from '../../../support/temporary-directory.js'

const newDirectory = temporaryDirectories()
const DIST = fileURLToPath(new URL('../../../../dist/', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** @param body runs with `host`, `attempt(name)` and `late`, the errors that ended the run */
async function runWith(plugin: string, body: string): Promise<Ended> {
  const directory = await newDirectory()
  await writeFile(join(directory, 'plugin.mjs'), plugin)
  await writeFile(
    join(directory, 'main.mjs'),
    `
import {createInProcessHost} from '${DIST}processors/in-process/index.js'
import {loadProcessor} from '${DIST}processors/load/index.js'
import {processClock} from '${DIST}processors/running/process-clock.js'
import {setTimeout as delay} from 'node:timers/promises'
const say = (message) => console.log(message)
const late = []
const host = createInProcessHost({
  processor: await loadProcessor('./plugin.mjs', {from: '${directory}'}), options: {}, outputDir: '${directory}',
  sink: {produce: async () => {}, returned: async () => {}}, logger: {debug: say, info: say, warn: say, error: say},
  clock: processClock, signal: new AbortController().signal, onBroken: (error) => late.push(error),
})
await host.start()
const content = {sizeBytes: 0, localPath: null, content: Buffer.alloc(0), async *read() {}}
const attempt = (name) => host.process({path: name, name, attempt: 1}, content, new AbortController().signal)
  .then(() => console.log('OK ' + name), (error) => console.log(error.code + ' ' + error.endsRun + ' ' + error.message))
${body}
await host.close()`,
  )
  return promisify(execFile)(process.execPath, [join(directory, 'main.mjs')]).then(
    ({stdout, stderr}) => ({code: 0, stdout, stderr}),
    (failed: unknown) => failed as Ended,
  )
}

const PLUGIN = `
import {EventEmitter} from 'node:events'
import {setTimeout as delay} from 'node:timers/promises'
const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
const forLong = () => delay(5_000, null, {ref: false})
export default {name: 'careless', async process({name}) {
  if (name === 'timer') { setTimeout(() => { throw new Error('thrown by a timer') }, 5); await forLong() }
  if (name === 'emitter') { setTimeout(() => new EventEmitter().emit('error', new Error('emitted')), 5); await forLong() }
  if (name === 'rejection') { void Promise.reject(new Error('not awaited')); await forLong() }
  if (name === 'afterwards') setTimeout(() => { throw new Error('thrown when it was over') }, 20)
  if (name === 'blocks') block(4_000)
  if (name === 'blocks-long') block(11_500)
  if (name === 'beside') await delay(100)
  if (name === 'exits') process.exit(3)
  if (name === 'exits-unseen') { try { process.exit(0) } catch {} ; await forLong() }
  if (name === 'exits-in-timer') { setTimeout(() => process.exit(3), 5); await forLong() }
  if (name === 'exits-in-promise') { void (async () => process.exit(3))(); await forLong() }
  if (name === 'exits-afterwards') setTimeout(() => process.exit(0), 20)
}}`

describe('an error that nobody awaits', () => {
  it('while the attempt goes on is a failure of its file, and of no other', async () => {
    const {code, stdout} = await runWith(
      PLUGIN,
      "await Promise.all(['timer', 'emitter', 'rejection', 'beside'].map(attempt)); console.log(late.length)",
    )
    expect(stdout).toMatch(
      /PROCESSING_FAILED false careless failed on timer: thrown by a timer \(at .*plugin\.mjs/,
    )
    expect(stdout).toContain('PROCESSING_FAILED false careless failed on emitter: emitted')
    expect(stdout).toContain('PROCESSING_FAILED false careless failed on rejection: not awaited')
    expect(stdout).toMatch(/OK beside[^]*\n0\n/)
    expect(code).toBe(0)
  })

  it('when its file is done ends the run, and names the processor', async () => {
    const {code, stdout} = await runWith(
      PLUGIN,
      "await attempt('afterwards'); await delay(100); await attempt('beside'); console.log(late.map(({code}) => code).join())",
    )
    expect(stdout).toContain('OK afterwards')
    expect(stdout).toMatch(
      /PLUGIN_LATE_ERROR true careless failed when nobody was waiting for it any more: thrown when it was over \(at .*plugin\.mjs/,
    )
    expect(stdout).toMatch(/^PLUGIN_LATE_ERROR$/m)
    expect(code).toBe(0)
  })

  it('that is not the plugin’s ends the process as ever', async () => {
    const {code, stderr} = await runWith(
      PLUGIN,
      "setTimeout(() => { throw new Error('of streamtool') }, 5); await delay(1_000)",
    )
    expect(code).toBe(1)
    expect(stderr).toContain('Error: of streamtool')
  })
})

describe('a plugin that calls process.exit()', () => {
  it('fails the attempt that it calls it in, and no other', async () => {
    const {code, stdout} = await runWith(
      PLUGIN,
      "await Promise.all(['exits', 'exits-unseen', 'exits-in-timer', 'exits-in-promise', 'beside'].map(attempt)); await delay(100); console.log(late.length)",
    )
    for (const [name, exit] of [
      ['exits', 3],
      ['exits-unseen', 0],
      ['exits-in-timer', 3],
      ['exits-in-promise', 3],
    ] as const)
      expect(stdout).toContain(
        `PROCESSING_FAILED false careless failed on ${name}: it called process.exit(${exit}) and should have thrown an error (at `,
      )
    expect(stdout).toMatch(/OK beside[^]*\n0\n/)
    expect(code).toBe(0)
  })

  it('when its file is done ends the run, as any other error there', async () => {
    const {code, stdout} = await runWith(
      PLUGIN,
      "await attempt('exits-afterwards'); await delay(100); await attempt('beside')",
    )
    expect(stdout).toMatch(
      /PLUGIN_LATE_ERROR true careless failed when nobody .*: it called process\.exit\(0\)/,
    )
    expect(code).toBe(0)
  })

  it('does not keep streamtool from exiting, nor anybody when the host is closed', async () => {
    const exits = "attempt('beside'); setTimeout(() => process.exit(5), 5); await delay(1_000)"
    expect((await runWith(PLUGIN, exits)).code).toBe(5)
    const plugin =
      "export default {name: 'careless', process() {}}\nexport const exit = () => process.exit(6)"
    const later = `await host.close(); (await import('./plugin.mjs')).exit()`
    expect((await runWith(plugin, later)).code).toBe(6)
  })
})

describe.concurrent('a plugin that keeps the event loop to itself', () => {
  it('is named when it lets go', async () => {
    const {stdout, stderr} = await runWith(PLUGIN, "await attempt('blocks'); await delay(700)")
    expect(stdout).toMatch(
      /careless kept the event loop to itself for [34]\.\d s, working on blocks\..*--isolate process/,
    )
    expect(stderr).toBe('')
  })

  it('is named while it does not', async () => {
    const {stderr} = await runWith(PLUGIN, "await attempt('blocks-long')")
    expect(stderr).toMatch(
      /^warning: careless has kept the event loop to itself for 10 s, working on blocks-long\..*--isolate process/,
    )
  })
})
