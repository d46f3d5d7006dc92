/** Files that are being processed when the process dies, at labels and at any moment; failures beside it. */
import {describe, it} from 'vitest'
import {startSandboxProcess} from '../support/crash/brokers.js'
import {
  expectEachProcessed,
  type ProcessingCampaign,
  type ProcessingEvidence,
  processingKilledInARow,
} from '../support/crash/processing.js'

async function onItsOwnBroker(campaign: Omit<ProcessingCampaign, 'bootstrap'>): Promise<ProcessingEvidence> {
  const broker = await startSandboxProcess()
  try {
    return await processingKilledInARow({...campaign, bootstrap: broker.bootstrap})
  } finally {
    await broker.close()
  }
}

describe.concurrent('nothing is lost, and no finished file is processed again', {timeout: 600_000}, () => {
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
