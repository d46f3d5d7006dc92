/** What a `process` will do, from what was said: checked before anything is connected to. */
import {resolve} from 'node:path'
import {StreamtoolError} from '../core/errors.js'
import type {Processor} from '../processors/contract.js'
import {type ExecCommand, parseExec} from '../processors/exec/index.js'
import type {FoundProcessor, PluginOrigin} from './find-processor.js'
import {optionsOf} from './plugin-flags.js'
import type {processSettings} from './settings/catalog.js'
import type {Values} from './settings/setting.js'

export type ProcessValues = Values<typeof processSettings>

/** Who works on the files. */
type Worker =
  | {readonly kind: 'exec'; readonly command: ExecCommand}
  | {
      readonly kind: 'plugin'
      readonly processor: Processor
      readonly origin: PluginOrigin
      readonly options: Readonly<Record<string, unknown>>
      readonly isolate: 'none' | 'process'
    }

export interface ProcessPlan {
  readonly worker: Worker
  /** Absolute. */
  readonly outputDir: string
}

/** @throws SETTING_INVALID for what does not go together */
export function processPlan(found: FoundProcessor, values: ProcessValues, cwd: string): ProcessPlan {
  if (values.keepFiles && values.mode === 'memory')
    throw invalid('--keep-files keeps the file that a processor was given, and --mode memory gives none.', [
      'Use --mode auto, disk or both.',
    ])
  if (values.timeout === 0)
    throw invalid('--timeout leaves no time at all.', [
      'Leave it out to let an attempt take as long as it does.',
    ])
  if (values.resultTopic !== undefined && values.resultTopic === values.topic)
    throw invalid('The result topic is the topic that is read.', ['Name another one with --result-topic.'])
  const worker = found.kind === 'exec' ? programOf(found.template, values) : pluginOf(found, values)
  const name = worker.kind === 'exec' ? worker.command.name : worker.processor.name
  return {worker, outputDir: values.output ?? resolve(cwd, `${name}-output`)}
}

function programOf(template: string, {isolate, execShell, mode}: ProcessValues): Worker {
  if (isolate === 'process')
    throw invalid('--isolate is for plugins: a program runs in a process of its own anyway.', [
      'Leave out --isolate, or give a --plugin.',
    ])
  const command = parseExec(template, {shell: execShell})
  if (command.takesPath && mode === 'memory')
    throw invalid('The program is given a path, and --mode memory puts no file anywhere.', [
      'Use --mode auto, disk or both.',
      'Or leave {path} out: then the program reads the file on its standard input.',
    ])
  return {kind: 'exec', command}
}

function pluginOf(found: FoundProcessor & {kind: 'plugin'}, values: ProcessValues): Worker {
  const {processor, origin, needsResultTopic} = found
  if (values.execShell)
    throw invalid('--exec-shell is for --exec, and a plugin was given.', ['Leave it out.'])
  if (needsResultTopic && values.resultTopic === undefined)
    throw invalid(`All that ${processor.name} does is to send results, and there is no topic for them.`, [
      'Name one with --result-topic.',
    ])
  return {
    kind: 'plugin',
    processor,
    origin,
    options: optionsOf(processor.flags, values),
    isolate: values.isolate,
  }
}

const invalid = (message: string, suggestions: readonly string[]) =>
  new StreamtoolError('SETTING_INVALID', message, {suggestions})
