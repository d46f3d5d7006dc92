/** The errors of loading a plugin: what is wrong with it, and what to write instead. */
import {StreamtoolError} from '../../core/errors.js'

/** @param what goes on after the name: `has no default export` */
export function unloadable(
  spec: string,
  what: string,
  suggestions: readonly string[],
  cause?: unknown,
): StreamtoolError {
  return new StreamtoolError('PLUGIN_UNLOADABLE', `The plugin ${spec} ${what}.`, {
    facts: {plugin: spec},
    suggestions,
    ...(cause === undefined ? {} : {cause}),
  })
}

export const SKELETON = "export default {name: 'my-processor', async process(file, context) { … }}"

/** @param exported the names of what it exports instead */
export function missingExport(spec: string, exported: readonly string[] = []): StreamtoolError {
  const instead =
    exported.length === 0
      ? []
      : [`It exports ${exported.join(', ')}: put what belongs to the processor into one object.`]
  return unloadable(spec, 'has no default export', [
    ...instead,
    `Write: ${SKELETON}`,
    `In CommonJS: module.exports = {name: 'my-processor', async process(file, context) { … }}`,
  ])
}

/** `a`, `a and b`, `a, b and c` */
export function inWords(names: readonly string[]): string {
  if (names.length < 2) return names.join('')
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
