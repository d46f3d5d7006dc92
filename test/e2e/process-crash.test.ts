/** Files that are being processed when the process dies, at labels and at any moment; failures beside it. */
import {describe, expect, it} from 'vitest'
import {startSandboxProcess} from '../support/crash/brokers.js'
import {
  type ProcessingCampaign,
  type ProcessingEvidence,
  processingKilledInARow,
} from '../support/crash/processing.js'

const CONCURRENCY = 2

async function onItsOwnBroker(campaign: Omit<ProcessingCampaign, 'bootstrap'>): Promise<ProcessingEvidence> {
  const broker = await startSandboxProcess()
  try {
    return await processingKilledInARow({...campaign, bootstrap: broker.bootstrap})
  } finally {
    await broker.close()
  }
}

function expectEachProcessed({files, calls, failing, last, delivered, deaths}: ProcessingEvidence): void {
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
  for (const path of thirds) expect(reasons.get(path), path).toMatch(/^held: .*(is a third|died 3 times)/)
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

describe.concurrent('nothing is lost, and no finished file is processed again', {timeout: 300_000}, () => {
  it('by kills before and after the processor, around commits, and at moments', async () => {
    expectEachProcessed(
      await onItsOwnBroker({
        topic: 'processed',
        files: 60,
        fates: [
          {step: 'before-plugin', nth: 1},
          {step: 'after-plugin', nth: 1},
          {step: 'before-plugin', nth: 6},
          {step: 'after-plugin', nth: 5},
          {step: 'before-commit', nth: 1},
        ],
        momentsMs: [40],
      }),
    )
  })

  it('by crashes of isolated processors, which are the failure of one attempt', async () => {
    expectEachProcessed(
      await onItsOwnBroker({
        topic: 'isolated',
        files: 30,
        fates: [{step: 'after-plugin', nth: 4}],
        momentsMs: [150],
        args: ['--isolate', 'process', '--crash-once'],
      }),
    )
  })
})
