import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {onTestFinished} from 'vitest'
import type {Logger} from '../../../src/core/ports/index.js'
import {startSandbox, type Sandbox} from '../../../src/sandbox/index.js'

/** A directory of the running test's own, removed when it ends. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'streamtool-sandbox-'))
  onTestFinished(() => rm(dir, {recursive: true, force: true}))
  return dir
}

/** A sandbox on a free port that stops when the test ends. */
export async function temporarySandbox(
  options: {dir?: string; port?: number; logger?: Logger} = {},
): Promise<Sandbox> {
  const {port: kafkaPort = 0, logger = rememberingLogger().logger} = options
  const sandbox = await startSandbox({dir: options.dir ?? (await temporaryDirectory()), kafkaPort, logger})
  onTestFinished(() => sandbox.close())
  return sandbox
}

/** `lines` holds `level: message` of everything that was logged. */
export function rememberingLogger(): {logger: Logger; lines: string[]} {
  const lines: string[] = []
  const say = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
  return {logger: {debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error')}, lines}
}
