import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {describe, expect, it} from 'vitest'
import {startGuard} from '../../../src/processors/group-guard.js'

describe('a guard', () => {
  it('told to forget groups that it never knew did not grow until it only counted blanks, and ended nobody', async () => {
    const guard = startGuard(1000, () => undefined)
    const program = spawn('sleep', ['60'], {detached: true, stdio: 'ignore'})
    const ended = once(program, 'exit')
    guard.watch(program.pid ?? 0)
    for (let unknown = 0; unknown < 60; unknown += 1) guard.forget(4_000_000 + unknown)
    guard.close()
    expect(await ended).toEqual([null, 'SIGTERM'])
  })
})
