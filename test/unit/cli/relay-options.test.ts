import {describe, expect, it} from 'vitest'
import {relayOptionsOf} from '../../../src/cli/relay-options.js'
import {passthroughSettings} from '../../../src/cli/settings/groups/passthrough.js'
import {resolveSettings} from '../../../src/cli/settings/resolve.js'
import {parsePassthrough} from '../../../src/cli/spring/index.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

async function optionsOf(...argv: string[]) {
  const cwd = await temporaryDirectory()
  const {flags, properties} = await parsePassthrough(['--brokers', 'b:9092', ...argv], {}, cwd)
  const {values} = await resolveSettings(passthroughSettings, {
    command: 'passthrough',
    flags,
    properties,
    cwd,
    env: {},
    fixedConfigDirs: [],
  })
  return relayOptionsOf('passthrough', 'g', values, false)
}

describe('topics that would feed themselves', () => {
  const spring = (name: string) => [
    '--spring.cloud.stream.bindings.input.destination=in',
    '--spring.cloud.stream.bindings.output.destination=out',
    '--spring.cloud.stream.kafka.bindings.input.consumer.enableDlq=true',
    `--spring.cloud.stream.kafka.bindings.input.consumer.dlqName=${name}`,
  ]
  it.each([
    ['the output', ['--input', 'a,b', '--output', 'b']],
    ['dead letters', ['--input', 'a', '--output', 'b', '--dead-letter-topic', 'a']],
    [
      'dead letters of another input',
      ['--input', 'a,error.a.g', '--output', 'b', '--on-failure', 'dead-letter'],
    ],
    ['dlqName', spring('in')],
  ])('are refused: %s', async (_, argv) => {
    await expect(optionsOf(...argv)).rejects.toMatchObject({code: 'SETTING_INVALID', exitCode: 2})
  })

  it.each([
    ['by name', ['--input', 'a', '--output', 'b', '--dead-letter-topic', 'b']],
    ['by default', ['--input', 'a', '--output', 'error.a.g', '--on-failure', 'dead-letter']],
    ['dlqName', spring('out')],
  ])('nor may dead letters go to the output: %s', async (_, argv) => {
    await expect(optionsOf(...argv)).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining('is the output') as string,
    })
  })

  it('are no matter where nothing is dead-lettered', async () => {
    expect(await optionsOf('--input', 'a', '--output', 'error.a.g')).toMatchObject({output: 'error.a.g'})
  })
})
