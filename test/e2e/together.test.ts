/** `--assignment together` on a topic that has the chunks of each file in all partitions. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {Member} from '../support/crash/member.js'
import {standbyTakesOver} from '../support/crash/standby.js'
import {streamtool} from '../support/cli.js'
import {SpreadTopic} from '../support/spread-topic.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {seededBytes} from '../support/trees.js'

const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

describe('--assignment together', () => {
  it('a standby delivers everything after its owner was killed', async () => {
    await standbyTakesOver(broker.bootstrap, newDirectory, '2s')
  })

  it('a --once run that stands by ends with the others, and does not say that there was nothing', async () => {
    const spread = await SpreadTopic.create(broker.bootstrap, 'once', 3)
    const [output, stateDir] = [await newDirectory(), await newDirectory()]
    const env = {...process.env, STREAMTOOL_BROKERS: broker.bootstrap, STREAMTOOL_STATE_DIR: stateDir}
    const files = [1, 2, 3].map((seed) => ({path: `f${seed}`, content: seededBytes(seed, 5000)}))
    await spread.send(files)
    const owner = new Member({topic: 'once', output, env, args: ['--assignment', 'together']})
    try {
      await owner.until(
        'it has delivered them',
        (events) => events.filter(({event}) => event === 'file.delivered').length === files.length,
      )
      const {exitCode, stderr, stdout} = await streamtool(
        [
          'reconstruct',
          '--topic',
          'once',
          '--output',
          output,
          '--assignment',
          'together',
          '--once',
          '--json',
        ],
        {env},
      )
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining('this one stood by')])
      expect(stderr).not.toContain('Nothing new')
      expect(stderr).not.toContain('--from-beginning')
      expect(JSON.parse(stdout)).toMatchObject({records: 0, files: {delivered: 0, incomplete: 0}})
      const report = await owner.stop()
      expect(report.files).toMatchObject({delivered: files.length, incomplete: 0, failed: 0})
    } finally {
      if (owner.isRunning) await owner.kill()
      await spread.close()
    }
  })
})
