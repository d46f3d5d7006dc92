/** `--on-conflict`, through the whole `reconstruct` command: what is told, and the exit code. */
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {DeliverReport, PipelineEvent} from '../../src/core/report.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {writeTree} from '../support/trees.js'

const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

interface Outcome {
  readonly exitCode: number | null
  readonly report: DeliverReport
  readonly events: PipelineEvent[]
  readonly files: Record<string, string>
}

/** `mine.txt` is there already and is somebody else's, `new.txt` is not. */
async function reconstructed(onConflict: string): Promise<{first: Outcome; again: () => Promise<Outcome>}> {
  const [input, output, stateDir] = [await newDirectory(), await newDirectory(), await newDirectory()]
  const env = {...process.env, STREAMTOOL_BROKERS: broker.bootstrap, STREAMTOOL_STATE_DIR: stateDir}
  const topic = `conflict-${onConflict}`
  await writeTree(input, {'mine.txt': 'delivered', 'new.txt': 'delivered'})
  await streamtoolJson(['upload', input, '--topic', topic], {env})
  await writeFile(join(output, 'mine.txt'), 'mine')
  const run = async (): Promise<Outcome> => {
    const args = [
      '--topic',
      topic,
      '--output',
      output,
      '--on-conflict',
      onConflict,
      '--once',
      '--events',
      '--json',
    ]
    const {exitCode, stdout} = await streamtool(['reconstruct', ...args], {env})
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PipelineEvent)
    const last = events.at(-1)
    if (last?.event !== 'finished') throw new Error(stdout)
    const names = (await readdir(output)).filter((name) => name !== '.streamtool').sort()
    const texts = await Promise.all(names.map((name) => readFile(join(output, name), 'utf8')))
    return {
      exitCode,
      events,
      report: last.report as DeliverReport,
      files: Object.fromEntries(names.map((name, index) => [name, texts[index]!])),
    }
  }
  return {first: await run(), again: run}
}

describe.concurrent('--on-conflict', {timeout: 240_000}, () => {
  it('overwrite replaces it', async () => {
    const {first} = await reconstructed('overwrite')
    expect(first).toMatchObject({
      exitCode: 0,
      report: {files: {delivered: 2, skipped: 0}},
      files: {'mine.txt': 'delivered', 'new.txt': 'delivered'},
    })
  })

  it('keep leaves the delivered one out, for good, and says so', async () => {
    const {first, again} = await reconstructed('keep')
    expect(first).toMatchObject({
      exitCode: 0,
      report: {files: {delivered: 1, skipped: 1, failed: 0}},
      files: {'mine.txt': 'mine', 'new.txt': 'delivered'},
    })
    expect(first.events).toContainEqual(
      expect.objectContaining({event: 'file.skipped', path: 'mine.txt', code: 'FILE_EXISTS'}),
    )
    expect(await again()).toMatchObject({exitCode: 0, report: {records: 0}})
  })

  it('rename puts the delivered one beside it', async () => {
    const {first} = await reconstructed('rename')
    expect(first).toMatchObject({exitCode: 0, report: {files: {delivered: 2, skipped: 0}}})
    expect(first.files).toEqual({'mine (2).txt': 'delivered', 'mine.txt': 'mine', 'new.txt': 'delivered'})
  })

  it('fail holds the delivered one, run after run, with exit code 4', async () => {
    const {first, again} = await reconstructed('fail')
    for (const outcome of [first, await again()]) {
      expect(outcome).toMatchObject({
        exitCode: 4,
        report: {
          files: {held: 1, failed: 1},
          problems: [{path: 'mine.txt', outcome: 'held', code: 'FILE_EXISTS'}],
        },
        files: {'mine.txt': 'mine', 'new.txt': 'delivered'},
      })
    }
  })
})
