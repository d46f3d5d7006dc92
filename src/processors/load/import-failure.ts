/** Why a plugin could not be imported, in the words of its author: which file and line, which package is missing. */
import {execFile} from 'node:child_process'
import {readdir} from 'node:fs/promises'
import {basename, dirname, extname} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify, stripVTControlCharacters} from 'node:util'
import type {StreamtoolError} from '../../core/errors.js'
import {nearest} from '../../core/nearest.js'
import {frames, isError, messageOf} from '../stack.js'
import {unloadable} from './unloadable.js'

/** Of its own stack, in the suggestions. */
const FRAMES = 3

export async function importFailure(spec: string, path: string, thrown: unknown): Promise<StreamtoolError> {
  if (isError(thrown)) {
    const missing = /^Cannot find (?:package|module) '([^']+)'(?: imported from (.+))?/.exec(thrown.message)
    if (missing?.[1] !== undefined) return missingImport(spec, missing[1], missing[2] ?? path, thrown)
    const parse = /^ParseError: (.*?)\s*\n\s*(\S.*:\d+:\d+)/.exec(thrown.message)
    if (parse !== null) return badSyntax(spec, parse[1] ?? '', parse[2] ?? path, thrown)
    if (thrown instanceof SyntaxError || thrown.name === 'SyntaxError')
      return badSyntax(spec, thrown.message, await placeOf(thrown, path), thrown)
    if ((thrown as NodeJS.ErrnoException).code === 'EACCES')
      return unloadable(spec, `may not be read: ${thrown.message}`, [], thrown)
  }
  const name = isError(thrown) && thrown.name !== 'Error' ? `${thrown.name}: ` : ''
  return unloadable(
    spec,
    `threw while it was loaded: ${name}${messageOf(thrown)}`,
    [
      ...frames(thrown, FRAMES),
      'What can fail belongs into `setup`: it is called once, before the first file.',
    ],
    thrown,
  )
}

const badSyntax = (spec: string, message: string, place: string, cause: unknown) =>
  unloadable(spec, `cannot be parsed: ${message.trim()} (${place})`, [], cause)

/** `/home/me/x.cjs:2` heads the stack of what CommonJS could not parse; of ESM, Node tells only who asks it to check. */
async function placeOf(error: Error, path: string): Promise<string> {
  const head = headOf(error.stack ?? '')
  if (head !== null) return head
  if (/does not provide an export/.test(error.message)) return path
  const checked = await promisify(execFile)(process.execPath, ['--check', path], {
    env: {},
    timeout: 10_000,
  }).then(
    () => null,
    (failed: unknown) => headOf(stripVTControlCharacters((failed as {stderr?: string}).stderr ?? '')),
  )
  return checked ?? `${path}, or a file that it imports`
}

function headOf(stack: string): string | null {
  const head = /^(?:file:\/\/)?(\/.*|[A-Z]:\\.*):(\d+)$/m.exec(stack)
  return head === null ? null : `${head[1] ?? ''}:${head[2] ?? ''}`
}

async function missingImport(
  spec: string,
  wanted: string,
  importer: string,
  cause: unknown,
): Promise<StreamtoolError> {
  const from = importer.split('\n')[0] ?? importer
  const file = wanted.startsWith('file:') ? fileURLToPath(wanted) : wanted
  if (!/^[./\\]|^[A-Z]:/.test(file)) {
    const name = /^(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? file
    return unloadable(
      spec,
      `imports the package ${name}, which is not installed`,
      [`In ${dirname(from)}: npm install ${name}`],
      cause,
    )
  }
  const siblings = await readdir(dirname(file)).catch(() => [])
  const meant =
    siblings.find((name) => basename(name, extname(name)) === basename(file)) ??
    nearest(basename(file), siblings)
  return unloadable(
    spec,
    `imports ${file}, which is not there`,
    [
      ...(meant === null ? [] : [`Did you mean ${meant}? An import names the file with its extension.`]),
      `Imported by ${from}`,
    ],
    cause,
  )
}
