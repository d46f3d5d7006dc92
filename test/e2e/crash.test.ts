/**
 * The crash evidence on the sandbox, as much of it as fits into the test command; test/real/crash.test.ts runs it in
 * full on Apache Kafka. Each run prints a line with what it cost. They wait more than they compute (for heartbeats,
 * and sessions that end), so they run side by side.
 */
import {describe, it} from 'vitest'
import {startSandboxProcess} from '../support/crash/brokers.js'
import type {CrashRunOptions, Evidence} from '../support/crash/crash-run.js'
import {
  expectNothingLost,
  expectNothingMissing,
  expectNothingRepeated,
} from '../support/crash/expectations.js'
import {
  EVERY_LABEL,
  FILE_LABELS_LATE,
  killedInARow,
  UPLOAD_LABELS,
  uploadsKilledInARow,
} from '../support/crash/kills-in-a-row.js'
import {rebalancedAmidOpenFiles, restartedInTurn} from '../support/crash/regrouping.js'
import {storm} from '../support/crash/storm.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const newDirectory = temporaryDirectories()

/** Each has a broker of its own, since some of them kill it. */
async function onItsOwnBroker(
  name: string,
  partitions: number,
  campaign: (options: CrashRunOptions) => Promise<Evidence>,
): Promise<Evidence> {
  const broker = await startSandboxProcess()
  try {
    return await campaign({broker, name, partitions, newDirectory})
  } finally {
    await broker.close()
  }
}

describe.concurrent('nothing is lost', {timeout: 600_000}, () => {
  it('by twenty kills in a row, at every label and at moments besides', async () => {
    const evidence = await onItsOwnBroker('kills-in-a-row', 4, (options) =>
      killedInARow(options, {
        fates: [...EVERY_LABEL, ...FILE_LABELS_LATE],
        momentsMs: [0, 30, 70, 150],
        // A member that dies at a commit may have put 1,250 in place, and the next as many; then 130 for each label.
        files: {small: 3200, large: 3},
      }),
    )
    expectNothingLost(evidence)
  })

  it('by uploads that are killed in a row', async () => {
    const evidence = await onItsOwnBroker('uploads-in-a-row', 4, (options) =>
      uploadsKilledInARow(options, {fates: UPLOAD_LABELS, files: {small: 300, large: 4}}),
    )
    expectNothingMissing(evidence)
  })

  it('by the deaths of members, connections and the broker of a group', async () => {
    const evidence = await onItsOwnBroker('storm', 4, (options) =>
      storm(options, {
        rounds: [
          {fate: {step: 'before-rename', nth: 20}, disturbance: 'cut'},
          {fate: {step: 'after-write', nth: 90}, disturbance: 'broker'},
          {fate: {step: 'after-rename', nth: 60}, disturbance: 'join'},
          {fate: {step: 'after-commit', nth: 1}, disturbance: 'reset'},
          {fate: {step: 'before-verify', nth: 5}, disturbance: 'leave'},
        ],
        files: {small: 400, large: 3},
      }),
    )
    expectNothingLost(evidence)
  })

  it('by a rebalance amid 1,000 open files, and no finished one is delivered again', async () => {
    const evidence = await onItsOwnBroker('open-files', 4, (options) =>
      rebalancedAmidOpenFiles(options, {open: 1000, finished: 500}),
    )
    expectNothingRepeated(evidence)
  })

  it('by a restart of every member in turn amid large files, which are finished', async () => {
    const evidence = await onItsOwnBroker('restarted-in-turn', 3, (options) =>
      restartedInTurn(options, {members: 2, fileBytes: 24 << 20}),
    )
    expectNothingRepeated(evidence)
  })
})
