import {spawn} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {StreamtoolError} from '../../../../src/core/errors.js'
import {fileInfo} from '../../../support/processed-file.js'
import {type HostChoices, type HostUnderTest, isolated} from '../../../support/processor-host.js'
import {stagedInMemory} from '../../../support/staged-file.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

/** Each file's name says how its process dies; every other one is counted. */
const MORTAL = `
import {spawn} from 'node:child_process'
import {appendFileSync} from 'node:fs'
import {join} from 'node:path'
const block = () => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000) }
const note = (context, line) => appendFileSync(join(context.outputDir, 'notes.txt'), line + '\\n')
export default {
  name: 'mortal',
  setup: (context) => note(context, 'setup ' + process.pid),
  async process(file, context) {
    if (file.name.startsWith('exit')) process.exit(3)
    if (file.name.startsWith('killed')) process.kill(process.pid, 'SIGKILL')
    if (file.name.startsWith('segfault')) process.kill(process.pid, 'SIGSEGV')
    if (file.name.startsWith('memory')) { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())) }
    if (file.name.startsWith('timer')) { setTimeout(() => { throw new Error('thrown by a timer') }, 5); await new Promise((r) => setTimeout(r, 5_000)) }
    if (file.name.startsWith('locked')) await context.lock(() => process.exit(4))
    if (file.name.startsWith('blocks')) { note(context, 'blocking ' + process.pid); block() }
    if (file.name.startsWith('spawns')) { const child = spawn('sleep', ['600']); note(context, 'blocking ' + child.pid); block() }
    if (file.name.startsWith('prints')) { console.log('a word'); console.error('another'); await new Promise((r) => setTimeout(r, 50)) }
    if (file.name.startsWith('afterwards')) { setTimeout(() => process.exit(5), 300); return }
    await context.lock(() => note(context, 'done ' + file.name))
  },
  teardown: (context) => note(context, 'teardown ' + process.pid),
}
`

async function mortal(choices: Partial<HostChoices> = {}): Promise<HostUnderTest> {
  const outputDir = await temporaryDirectory()
  const plugin = join(outputDir, 'mortal.mjs')
  await writeFile(plugin, MORTAL)
  const under = await isolated({outputDir, plugin, ...choices})
  onTestFinished(() => under.host.close())
  await under.host.start()
  return under
}

const attempt = ({host}: HostUnderTest, name: string, signal = new AbortController().signal) =>
  host.process(fileInfo(name), stagedInMemory(randomBytes(10)), signal)

const failure = async (attempting: Promise<unknown>): Promise<StreamtoolError> =>
  attempting.then(
    () => {
      throw new Error('it did not fail')
    },
    (thrown: unknown) => thrown as StreamtoolError,
  )

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The number that was noted after the word. */
async function noted(outputDir: string, word: string): Promise<number> {
  const text = async () => readFile(join(outputDir, 'notes.txt'), 'utf8').catch(() => '')
  await expect.poll(text, {timeout: 20_000}).toMatch(new RegExp(`^${word} \\d+$`, 'm'))
  return Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(await text())![1])
}

describe('a process that dies', () => {
  it('fails its own file, says how it ended, and is replaced', async () => {
    const under = await mortal({heapMegabytes: 64})
    const ends: Record<string, RegExp> = {
      'exit.csv': /exited with code 3/,
      'killed.csv': /was killed by SIGKILL/,
      'segfault.csv': /was killed by SIGSEGV/,
      'memory.csv': /ran out of memory/,
      'timer.csv': /exited with code 1 .*it last said: Error: thrown by a timer/,
    }
    for (const [name, words] of Object.entries(ends)) {
      const error = await failure(attempt(under, name))
      expect(error).toMatchObject({code: 'PROCESSOR_CRASHED', exitCode: 4, endsRun: false})
      expect(error.message).toMatch(words)
      expect(error.message).toContain(name)
      await attempt(under, 'fine.csv')
    }
  })

  it('harms no file beside it, and gives its lock back', async () => {
    const under = await mortal({concurrency: 3})
    const [locked, ...others] = await Promise.allSettled(
      ['locked.csv', 'one.csv', 'two.csv'].map((name) => attempt(under, name)),
    )
    expect(locked).toMatchObject({status: 'rejected', reason: {code: 'PROCESSOR_CRASHED'}})
    expect(others.map(({status}) => status)).toEqual(['fulfilled', 'fulfilled'])
  })

  it('between two files is warned of, and the next file has another one', async () => {
    const under = await mortal()
    await attempt(under, 'afterwards.csv')
    const warnings = () => under.log.entries.filter(({level}) => level === 'warn').map(({message}) => message)
    await expect
      .poll(warnings, {timeout: 10_000})
      .toEqual([expect.stringContaining('exited with code 5 between two files')])
    await attempt(under, 'fine.csv')
  })

  it('that blocks its event loop is ended when it is told to stop, with what it has started', async () => {
    for (const name of ['blocks.csv', 'spawns.csv']) {
      const under = await mortal()
      const controller = new AbortController()
      const attempting = failure(attempt(under, name, controller.signal))
      const pid = await noted(under.outputDir, 'blocking')
      controller.abort(new Error('too long'))
      expect(await attempting).toMatchObject({message: 'too long'})
      await expect.poll(() => isRunning(pid), {timeout: 5_000}).toBe(false)
      await attempt(under, 'fine.csv')
    }
  })

  it('has what it prints in the log, with the file, and nothing on stdout', async () => {
    const under = await mortal()
    await attempt(under, 'prints.csv')
    for (const message of ['a word', 'another'])
      await expect
        .poll(() => under.log.entries, {timeout: 5_000})
        .toContainEqual({level: 'info', message, facts: {processor: 'obedient', file: 'prints.csv'}})
  })
})

describe('processes of a host', () => {
  it('each is set up and torn down, and none is left', async () => {
    const under = await mortal({concurrency: 2})
    const controllers = [new AbortController(), new AbortController()]
    const blocked = controllers.map(({signal}, at) => failure(attempt(under, `blocks-${at}.csv`, signal)))
    await expect
      .poll(async () => (await under.notes()).filter((line) => line.startsWith('blocking')).length, {
        timeout: 10_000,
      })
      .toBe(2)
    for (const controller of controllers) controller.abort(new Error('enough'))
    await Promise.all(blocked)
    await Promise.all(['a.csv', 'b.csv'].map((name) => attempt(under, name)))
    await under.host.close()
    const notes = await under.notes()
    const pids = notes.filter((line) => line.startsWith('setup')).map((line) => Number(line.split(' ')[1]))
    expect(notes.filter((line) => line.startsWith('teardown')).length).toBeGreaterThanOrEqual(1)
    expect(pids.filter(isRunning)).toEqual([])
  })

  for (const name of ['fine.csv', 'blocks.csv'])
    it(`end when their parent is killed, also ${name === 'fine.csv' ? 'idle ones' : 'those that block'}`, async () => {
      const outputDir = await temporaryDirectory()
      await writeFile(join(outputDir, 'mortal.mjs'), MORTAL)
      const dist = fileURLToPath(new URL('../../../../dist/', import.meta.url))
      const script = `
import {createIsolatedHost} from '${dist}processors/isolated/index.js'
import {setTimeout as delay} from 'node:timers/promises'
const log = {debug() {}, info() {}, warn() {}, error() {}}
const host = createIsolatedHost({name: 'mortal', plugin: './mortal.mjs', from: '${outputDir}', options: {}, outputDir: '${outputDir}', concurrency: 1,
  sink: {}, logger: log, clock: {nowMs: Date.now, sleep: (ms, signal) => delay(ms, undefined, {signal})}, signal: new AbortController().signal})
await host.start()
if ('${name}' === 'blocks.csv') void host.process({path: '${name}', name: '${name}'}, {sizeBytes: 0, localPath: null, content: Buffer.alloc(0)}, new AbortController().signal)
setInterval(() => {}, 1000)`
      await writeFile(join(outputDir, 'parent.mjs'), script)
      const parent = spawn(process.execPath, [join(outputDir, 'parent.mjs')], {stdio: 'inherit'})
      onTestFinished(() => void parent.kill('SIGKILL'))
      const pid = await noted(outputDir, name === 'fine.csv' ? 'setup' : 'blocking')
      expect(isRunning(pid)).toBe(true)
      parent.kill('SIGKILL')
      await expect.poll(() => isRunning(pid), {timeout: 10_000}).toBe(false)
    })

  it('a plugin that cannot be loaded there is told in the same words', async () => {
    const outputDir = await temporaryDirectory()
    await writeFile(join(outputDir, 'broken.mjs'), 'export default 5')
    const under = await isolated({outputDir, plugin: './broken.mjs'})
    onTestFinished(() => under.host.close())
    const error = await failure(under.host.start())
    expect(error).toMatchObject({code: 'PLUGIN_UNLOADABLE', exitCode: 7})
    expect(error.message).toContain('exports a number')
    expect(error.suggestions.join()).toContain('export default {name:')
  })

  it('a process that dies in its setup', async () => {
    const outputDir = await temporaryDirectory()
    await writeFile(
      join(outputDir, 'dies.mjs'),
      "export default {name: 'dies', setup() { process.exit(9) }, process() {}}",
    )
    const under = await isolated({outputDir, plugin: './dies.mjs'})
    onTestFinished(() => under.host.close())
    expect(await failure(under.host.start())).toMatchObject({
      code: 'PLUGIN_SETUP_FAILED',
      message: expect.stringContaining('its process exited with code 9') as string,
    })
  })
})
