/** Output for what goes wrong before the settings are known: only arguments and environment can say how it is wanted. */
import {writeSync} from 'node:fs'
import type {StreamtoolError} from '../../core/errors.js'
import {errorLines, errorObject, finishedEvent} from '../errors/present.js'
import {Output, type OutputSettings} from './output.js'
import {processStreams} from './streams.js'

const STDOUT = 1
const STDERR = 2

export function earlyOutput(command: string | null, argv: readonly string[], env: NodeJS.ProcessEnv): Output {
  return new Output(command, wanted(argv, env), (text) => text, processStreams())
}

/** The same from an `exit` listener, after which nothing that is awaited goes on. */
export function failAtOnce(
  command: string | null,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  error: StreamtoolError,
): void {
  const object = errorObject(command, error, (text) => text)
  for (const line of errorLines(object)) writeSync(STDERR, `${line}\n`)
  const {json, events} = wanted(argv, env)
  if (events) writeSync(STDOUT, `${JSON.stringify(finishedEvent(object, json, new Date()))}\n`)
  else if (json) writeSync(STDOUT, `${JSON.stringify(object)}\n`)
}

function wanted(argv: readonly string[], env: NodeJS.ProcessEnv): OutputSettings {
  const end = argv.indexOf('--')
  const flags = end === -1 ? argv : argv.slice(0, end)
  const on = (flag: string, variable: string) =>
    flags.includes(flag) || (!flags.includes(flag.replace('--', '--no-')) && isOn(env[variable]))
  const format = valueOf('--log-format', flags) ?? env['STREAMTOOL_LOG_FORMAT']
  const level = valueOf('--log-level', flags) ?? env['STREAMTOOL_LOG_LEVEL']
  return {
    json: on('--json', 'STREAMTOOL_JSON'),
    events: on('--events', 'STREAMTOOL_EVENTS'),
    progress: 'none',
    logLevel: level === 'debug' ? 'debug' : 'info',
    logFormat: format === 'json' ? 'json' : 'text',
  }
}

const isOn = (value: string | undefined) => ['true', 'yes', 'on', '1'].includes(value?.toLowerCase() ?? '')

function valueOf(flag: string, argv: readonly string[]): string | undefined {
  const joined = argv.find((argument) => argument.startsWith(`${flag}=`))
  if (joined !== undefined) return joined.slice(flag.length + 1)
  const index = argv.indexOf(flag)
  return index === -1 ? undefined : argv[index + 1]
}
