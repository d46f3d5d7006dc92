/**
 * `process` with a processor that fails on every third file and takes its time, killed at labels and at moments; then
 * once with the failures, and once without.
 */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'vitest'
import type {DeliverReport} from '../../../src/core/report.js'
import {streamtool, streamtoolJson} from '../cli.js'
import {type Call, callsOf, writeNotingProcessor} from '../processors.js'
import {writeTree} from '../trees.js'
import type {Fate} from './fate.js'
import {Member} from './member.js'

/** `--concurrency`, unless told otherwise. */
const CONCURRENCY = 2

export interface ProcessingEvidence {
  readonly files: readonly string[]
  readonly calls: readonly Call[]
  /** Of the run in which thirds still failed. */
  readonly failing: {readonly exitCode: number | null; readonly report: DeliverReport}
  /** Of the last run. */
  readonly last: {readonly exitCode: number | null; readonly report: DeliverReport}
  /** How often each path was told as delivered, by all processes. */
  readonly delivered: ReadonlyMap<string, number>
  readonly deaths: number
}

export interface ProcessingCampaign {
  readonly bootstrap: string
  readonly topic: string
  readonly files: number
  readonly fates: readonly Fate[]
  /** After a process was given its partitions. */
  readonly momentsMs: readonly number[]
  readonly args?: readonly string[]
}

export async function processingKilledInARow(campaign: ProcessingCampaign): Promise<ProcessingEvidence> {
  const {bootstrap, topic, fates, momentsMs, args = []} = campaign
  const home = await mkdtemp(join(tmpdir(), 'streamtool-crash-'))
  const output = join(home, 'out')
  const env = {
    ...process.env,
    STREAMTOOL_BROKERS: bootstrap,
    STREAMTOOL_STATE_DIR: join(home, 'state'),
    STREAMTOOL_PLUGIN: await writeNotingProcessor(home),
  }
  const files = Array.from({length: campaign.files}, (_, index) => `run-${index % 3}/file ${index}.dat`)
  const members: Member[] = []
  const failing = ['--fail-thirds', '--sleep-ms', '15', '--attempts', '1', ...args]
  const start = (more: readonly string[], fate?: Fate): Member => {
    const member = new Member({
      command: 'process',
      topic,
      output,
      env,
      args: [...failing, ...more],
      ...(fate ? {fate} : {}),
    })
    members.push(member)
    return member
  }
  const delivered = new Map<string, number>()
  const tell = (paths: readonly string[]): void => {
    for (const path of paths) delivered.set(path, (delivered.get(path) ?? 0) + 1)
  }
  const finished = async (
    more: readonly string[],
  ): Promise<{exitCode: number | null; report: DeliverReport}> => {
    const all = ['process', '--topic', topic, '--output', output, '--once', '--events', '--json', ...more]
    const {exitCode, stdout} = await streamtool(all, {env})
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {event: string; path: string; report: DeliverReport})
    tell(events.flatMap(({event, path}) => (event === 'file.delivered' ? [path] : [])))
    return {exitCode, report: events.at(-1)!.report}
  }
  try {
    await writeTree(join(home, 'in'), Object.fromEntries(files.map((file) => [file, `content of ${file}`])))
    await streamtoolJson(['upload', join(home, 'in'), '--topic', topic], {env})
    for (const fate of fates) await start(['--once'], fate).untilKilledByFate()
    for (const ms of momentsMs) {
      const member = start([])
      await member.untilAssigned()
      await sleep(ms)
      await member.kill()
    }
    for (const {events} of members)
      tell(events.flatMap((event) => (event.event === 'file.delivered' ? [event.path] : [])))
    const withFailures = await finished(failing)
    const first = await finished(args)
    // A file that several deaths were ascribed to is left out once.
    const last = first.exitCode === 0 ? first : await finished(args)
    return {
      files,
      calls: await callsOf(output),
      failing: withFailures,
      last,
      delivered,
      deaths: members.length,
    }
  } finally {
    for (const member of members) if (member.isRunning) await member.kill()
    await rm(home, {recursive: true, force: true})
  }
}

/**
 * Each file was processed; none that was told as delivered came again; and those that came again were in the processor
 * when a process died.
 */
export function expectEachProcessed({
  files,
  calls,
  failing,
  last,
  delivered,
  deaths,
}: ProcessingEvidence): void {
  const ends = (path: string) => calls.filter((call) => call.phase === 'end' && call.path === path)
  expect(files.filter((path) => ends(path).length === 0)).toEqual([])
  // Told as delivered is processed for good; what was in the processor at a death is processed again.
  expect([...delivered].filter(([, times]) => times > 1)).toEqual([])
  const again = files.reduce((sum, path) => sum + ends(path).length - 1, 0)
  expect(again).toBeLessThanOrEqual(deaths * CONCURRENCY)

  const thirds = files.filter((path) => Number(/(\d+)\.dat/.exec(path)![1]) % 3 === 0)
  expect(failing.exitCode).toBe(4)
  const reasons = new Map(
    failing.report.problems.map(({path, outcome, reason}) => [path, `${outcome}: ${reason}`]),
  )
  // Whatever its last attempt failed with: an error, a crash of its own process, or the deaths of the whole.
  const reason = /^held: .*(is a third|was killed by SIGABRT|each of the last 3 times that the process died)/
  for (const path of thirds) expect(reasons.get(path), path).toMatch(reason)
  expect(last).toMatchObject({exitCode: 0, report: {files: {held: 0, failed: 0}, problems: []}})
  for (const path of thirds) {
    const attempts = calls
      .filter((call) => call.phase === 'begin' && call.path === path)
      .map(({attempt}) => attempt)
    expect(attempts, path).toEqual([...new Set(attempts)].sort((a, b) => a - b))
    expect(ends(path)[0]!.attempt, path).toBeGreaterThan(1)
  }
  console.log(
    `${files.length} files processed by ${deaths + 2} processes, ${deaths} killed: ` +
      `${again} of them again, ${thirds.length} held in between`,
  )
}
