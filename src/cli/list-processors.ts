import {BUILTIN_PROCESSORS} from '../processors/builtin/index.js'
import type {Output} from './output/output.js'
import {factLines} from './output/table.js'

/** What `--plugin` takes without anything being installed. */
export function listProcessors(output: Output, json: boolean): void {
  const processors = [...BUILTIN_PROCESSORS].map(([name, {description, needsResultTopic}]) => ({
    name,
    description,
    needsResultTopic,
  }))
  if (json) output.result({schema: 1, command: 'process', processors})
  else
    for (const line of factLines(processors.map(({name, description}) => [name, description])))
      output.resultText(line)
}
