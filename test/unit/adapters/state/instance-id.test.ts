import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {acquireInstanceId} from '../../../../src/adapters/state/instance-id.js'
import {runTestChild, type TestChild} from '../../../support/child-process.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const TIMEOUT_MS = 60_000

async function holder(...args: string[]): Promise<TestChild> {
  const child = runTestChild('test/unit/adapters/state/children/hold-instance-id.ts', args)
  await child.printed(1)
  return child
}

describe('acquireInstanceId', () => {
  it('counts the processes of a host from 0, and reuses what was released', async () => {
    const options = {groupId: 'g', stateDir: await temporaryDirectory(), hostName: 'lab-7.example.org'}
    const held = [
      await acquireInstanceId(options),
      await acquireInstanceId(options),
      await acquireInstanceId(options),
    ]
    expect(held.map(({instanceId}) => instanceId)).toEqual(
      [0, 1, 2].map((slot) => `lab-7.example.org-${slot}`),
    )
    await held[1]!.release()
    const again = await acquireInstanceId(options)
    expect(again.instanceId).toBe('lab-7.example.org-1')
    for (const id of [held[0]!, held[2]!, again]) await id.release()
  })

  it('counts each group by itself', async () => {
    const stateDir = await temporaryDirectory()
    const first = await acquireInstanceId({groupId: 'a/b', stateDir, hostName: 'h'})
    const second = await acquireInstanceId({groupId: '../a', stateDir, hostName: 'h'})
    expect([first.instanceId, second.instanceId]).toEqual(['h-0', 'h-0'])
    await first.release()
    await second.release()
  })

  it(
    'gives a restarted process the id of the one that was killed, and a second process the next',
    async () => {
      const stateDir = await temporaryDirectory()
      const [first, second] = [await holder(stateDir), await holder(stateDir)]
      expect([first.lines, second.lines]).toEqual([['host-0'], ['host-1']])
      await first.kill('SIGKILL')
      const restarted = await holder(stateDir)
      expect(restarted.lines).toEqual(['host-0'])
    },
    TIMEOUT_MS,
  )

  it(
    'refuses an explicit id that a live process has, and gives it when that is dead',
    async () => {
      const stateDir = await temporaryDirectory()
      const child = await holder(stateDir, 'reconstruct-a')
      const options = {explicit: 'reconstruct-a', groupId: 'g', stateDir, hostName: 'host'}
      await expect(acquireInstanceId(options)).rejects.toMatchObject({
        code: 'INSTANCE_IN_USE',
        exitCode: 2,
        message: 'Another running process of this host is instance reconstruct-a of group g.',
      })
      await child.kill('SIGKILL')
      const held = await acquireInstanceId(options)
      expect(held.instanceId).toBe('reconstruct-a')
      await held.release()
    },
    TIMEOUT_MS,
  )

  it('never gives one id to an explicit and a counted member', async () => {
    const options = {groupId: 'g', stateDir: await temporaryDirectory(), hostName: 'h'}
    const explicit = await acquireInstanceId({...options, explicit: 'h-0'})
    const counted = await acquireInstanceId(options)
    expect(counted.instanceId).toBe('h-1')
    await explicit.release()
    await counted.release()
  })

  it.each([
    ['ä b', '--b'],
    ['', 'host'],
    ['h'.repeat(400), 'h'.repeat(200)],
  ])('makes an id that Kafka takes of the host name %j', async (hostName, expected) => {
    const held = await acquireInstanceId({groupId: 'g', stateDir: await temporaryDirectory(), hostName})
    expect(held.instanceId).toBe(`${expected}-0`)
    expect(held.instanceId).toMatch(/^[A-Za-z0-9._-]{1,249}$/)
    await held.release()
  })

  it.each(['', 'with space', 'ä', 'a/b', 'x'.repeat(250)])('refuses the explicit id %j', async (explicit) => {
    const stateDir = path.join(await temporaryDirectory(), 'state')
    await expect(acquireInstanceId({explicit, groupId: 'g', stateDir, hostName: 'h'})).rejects.toMatchObject({
      code: 'SETTING_INVALID',
    })
  })

  it('takes an explicit id of the greatest length', async () => {
    const explicit = 'x'.repeat(249)
    const held = await acquireInstanceId({
      explicit,
      groupId: 'g',
      stateDir: await temporaryDirectory(),
      hostName: 'h',
    })
    expect(held.instanceId).toBe(explicit)
    await held.release()
  })
})
