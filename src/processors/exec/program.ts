/** Looked for before anything is consumed: a program that is not there would fail on every file. */
import {access, constants, stat} from 'node:fs/promises'
import {delimiter, resolve} from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import type {ExecCommand} from './command.js'
import {scriptOf} from './interpreters.js'

/**
 * @returns the absolute path of the program
 * @throws PLUGIN_UNLOADABLE
 */
export async function findProgram(
  {program, fixedArguments}: ExecCommand,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const found = await firstExecutable(candidatesFor(program, environment))
  if (found === null) {
    throw unloadable(
      program,
      `The program ${program} is not found, or is not executable.`,
      program.includes('/')
        ? `Look whether ${resolve(program)} is there; \`chmod +x\` makes a file executable.`
        : `Install it, give its whole path in --exec, or look at PATH.`,
    )
  }
  const script = scriptOf(program, fixedArguments)
  if (script !== null && !(await stat(script).catch(() => null))) {
    throw unloadable(
      script,
      `The script ${script} for ${program} is not found.`,
      `Its path is relative to the directory that streamtool was started in, ${process.cwd()}.`,
    )
  }
  return found
}

function candidatesFor(program: string, environment: NodeJS.ProcessEnv): string[] {
  if (program.includes('/')) return [resolve(program)]
  return (environment['PATH'] ?? '').split(delimiter).map((directory) => resolve(directory, program))
}

async function firstExecutable(candidates: readonly string[]): Promise<string | null> {
  for (const candidate of candidates) {
    const isExecutable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isExecutable && (await stat(candidate)).isFile()) return candidate
  }
  return null
}

const unloadable = (program: string, message: string, suggestion: string): StreamtoolError =>
  new StreamtoolError('PLUGIN_UNLOADABLE', message, {facts: {program}, suggestions: [suggestion]})
