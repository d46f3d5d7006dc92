/** What Data Flow says of an application it deployed, under the names that its dashboards select by. */
import {findProperty, ofVariables} from './sources.js'
import type {SpringProperty} from './property.js'

const TAGS: Readonly<Record<string, readonly string[]>> = {
  'stream.name': ['spring.cloud.dataflow.stream.name'],
  'application.name': ['spring.cloud.dataflow.stream.app.label', 'spring.application.name'],
  'application.type': ['spring.cloud.dataflow.stream.app.type'],
  'application.guid': ['spring.cloud.application.guid'],
  'application.index': [
    'spring.application.index',
    'spring.cloud.stream.instance-index',
    'instance-index',
    'cf-instance-index',
  ],
}

/** Only those that were said. */
export function tagsOf(properties: readonly SpringProperty[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(TAGS).flatMap(([tag, names]) => {
      const value = names
        .map((name) => findProperty(properties, name)?.value)
        .find((said) => said !== undefined && said !== '')
      return value === undefined ? [] : [[tag, value]]
    }),
  )
}

export const variablesOfDataFlow = (env: NodeJS.ProcessEnv) => ofVariables(env, [])
