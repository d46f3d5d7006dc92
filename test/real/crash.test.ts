/** The crash evidence in full, on Apache Kafka. test/e2e/crash.test.ts runs as much as fits into the test command. */
import {afterAll, beforeAll, expect, it} from 'vitest'
import {
  expectNothingLost,
  expectNothingMissing,
  expectNothingRepeated,
} from '../support/crash/expectations.js'
import {
  COMMIT_LABELS_LATE,
  EVERY_LABEL,
  FILE_LABELS_LATE,
  FILE_STEPS,
  killedInARow,
  UPLOAD_LABELS,
  uploadsKilledInARow,
} from '../support/crash/kills-in-a-row.js'
import type {Fate} from '../support/crash/fate.js'
import {restartBesideOneOldFile} from '../support/crash/one-old-file.js'
import {rebalancedAmidOpenFiles, restartedInTurn} from '../support/crash/regrouping.js'
import {type Disturbance, storm, type StormRound} from '../support/crash/storm.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const newDirectory = temporaryDirectories()
let broker: RealKafka
beforeAll(async () => {
  broker = await startRealKafka()
})
afterAll(() => broker.close())

const on = (name: string, partitions = 4) => ({broker, name, partitions, newDirectory})

it('kills in a row, at every label and at moments besides: nothing lost', async () => {
  const evidence = await killedInARow(on('kills-in-a-row'), {
    // Dead letters come first, as what is no chunk does on the topic: it is done with the first commit.
    fates: [...EVERY_LABEL, ...COMMIT_LABELS_LATE, ...FILE_LABELS_LATE, ...FILE_LABELS_LATE],
    momentsMs: [0, 20, 45, 80, 130, 190, 260, 400],
    files: {small: 20_000, large: 12},
  })
  expectNothingLost(evidence)
})

it('uploads killed in a row: nothing lost', async () => {
  const evidence = await uploadsKilledInARow(on('uploads-in-a-row'), {
    fates: UPLOAD_LABELS,
    files: {small: 3000, large: 6},
  })
  expectNothingMissing(evidence)
})

it('a group whose members, connections and broker die: nothing lost', async () => {
  const disturbances: Disturbance[] = ['cut', 'broker', 'join', 'reset', 'none', 'leave', 'broker', 'cut']
  const fates: Fate[] = [
    ...FILE_STEPS.map((step, index) => ({step, nth: 3 + index})),
    {step: 'before-commit', nth: 1},
    {step: 'after-commit', nth: 1},
    ...FILE_STEPS.map((step, index) => ({step, nth: 90 + index})),
    {step: 'after-commit', nth: 1},
    {step: 'before-commit', nth: 1},
  ]
  const rounds = fates.map((fate, index): StormRound => ({
    fate,
    disturbance: disturbances[index % disturbances.length]!,
  }))
  const evidence = await storm(on('storm'), {rounds, files: {small: 600, large: 4}})
  expectNothingLost(evidence)
})

it('rebalances amid 1,000 open files: none lost, and no finished one delivered again', async () => {
  const evidence = await rebalancedAmidOpenFiles(on('open-files', 6), {open: 1000, finished: 3000})
  expectNothingRepeated(evidence)
})

it('a group restarted in turn amid large files: they are finished', async () => {
  const evidence = await restartedInTurn(on('restarted-in-turn', 6), {members: 3, fileBytes: 128 << 20})
  expectNothingRepeated(evidence)
})

it('a restart after 100,000 small files, with one old file still incomplete: none is delivered again', async () => {
  const {report, secondsInAll, delivered} = await restartBesideOneOldFile(on('one-old-file'), 100_000)
  expect(delivered).toBe(100_000)
  expect(report.files).toMatchObject({delivered: 0, skipped: 0, open: 1})
  // What one answer holds: it is on its way before the map is looked at.
  expect(report.records).toBeLessThan(50_000)
  expect(secondsInAll).toBeLessThan(20)
})
