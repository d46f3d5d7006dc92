import {readFile} from 'node:fs/promises'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {describe, expect, it, onTestFinished} from 'vitest'
import {livenessOf, parseIdentity, thisProcess} from '../../../../src/adapters/system/process-identity.js'
import {eventually} from '../../../support/eventually.js'

async function statOf(pid: number): Promise<{state: string; startTime: string}> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {state: fields[0]!, startTime: fields[19]!}
}

describe('livenessOf', () => {
  it('knows itself, and that nobody has an absurd pid', () => {
    expect(livenessOf(thisProcess())).toBe('alive')
    expect(livenessOf({...thisProcess(), pid: 2 ** 30})).toBe('dead')
    expect(livenessOf({...thisProcess(), pidSpace: 'another'})).toBe('unknown')
  })

  it.runIf(process.platform === 'linux')(
    'takes a process that nobody has waited for yet for dead',
    async () => {
      // The inner shell ends; what its parent has become never asks for it.
      const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; read -r line" & exec sleep 60'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      onTestFinished(() => void parent.kill('SIGKILL'))
      const [printed] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(printed.toString())
      const {startTime} = await statOf(pid)
      await eventually('the process is a zombie', async () => (await statOf(pid)).state === 'Z')
      expect(livenessOf({...thisProcess(), pid, startTime})).toBe('dead')
      expect(
        livenessOf({...thisProcess(), pid: parent.pid!, startTime: (await statOf(parent.pid!)).startTime}),
      ).toBe('alive')
    },
  )
})

describe('parseIdentity', () => {
  it('reads what was written of a process', () => {
    expect(parseIdentity(JSON.stringify(thisProcess()))).toEqual(thisProcess())
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '1',
    '{"pid":1}',
    '{"pid":0,"startTime":null,"pidSpace":""}',
    '{"pid":1.5,"startTime":null,"pidSpace":"x"}',
  ])('reads nothing in %j', (text) => expect(parseIdentity(text)).toBeNull())
})
