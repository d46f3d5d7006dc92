/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:/run/secrets/password}` in the text of a configuration file, so
 * that the file itself needs no secret. A file's trailing line break is left off.
 */
import {readFile} from 'node:fs/promises'
import {resolve} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'

const REFERENCE = /\$\{(env|file):([^}]*)\}/g

export interface InterpolationScope {
  readonly filepath: string
  readonly baseDir: string
  readonly env: NodeJS.ProcessEnv
}

/** @throws SETTING_INVALID naming the key and the variable or file, never a value */
export async function interpolate(value: unknown, key: string, scope: InterpolationScope): Promise<unknown> {
  if (typeof value === 'string') return interpolateText(value, key, scope)
  if (Array.isArray(value)) return Promise.all(value.map((item) => interpolate(item, key, scope)))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([name, item]): Promise<[string, unknown]> => [
    name,
    await interpolate(item, key === '' ? name : `${key}.${name}`, scope),
  ])
  return Object.fromEntries(await Promise.all(entries))
}

async function interpolateText(text: string, key: string, scope: InterpolationScope): Promise<string> {
  let result = ''
  let position = 0
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, kind = '', reference = ''] = match
    const value = kind === 'env' ? fromVariable(reference, key, scope) : await fromFile(reference, key, scope)
    result += text.slice(position, match.index) + value
    position = match.index + whole.length
  }
  return result + text.slice(position)
}

function fromVariable(reference: string, key: string, {env, filepath}: InterpolationScope): string {
  const split = reference.indexOf(':-')
  const name = split === -1 ? reference : reference.slice(0, split)
  const value = env[name] ?? (split === -1 ? undefined : reference.slice(split + 2))
  if (value !== undefined) return value
  throw new StreamtoolError(
    'SETTING_INVALID',
    `The key ${key} of ${filepath} refers to the environment variable ${name}, which is not set.`,
    {suggestions: [`Set ${name}, or give a default: \${env:${name}:-default}`]},
  )
}

async function fromFile(reference: string, key: string, {baseDir, filepath}: InterpolationScope) {
  try {
    const text = await readFile(resolve(baseDir, reference), 'utf8')
    return text.replace(/\r?\n$/, '')
  } catch (error) {
    throw new StreamtoolError(
      'SETTING_INVALID',
      `The key ${key} of ${filepath} refers to the file ${reference}, which cannot be read.`,
      {cause: error},
    )
  }
}
