/** A plugin that is a program of its own: `node mine.js --topic T` is `streamtool process --plugin mine.js --topic T`. */
import {realpathSync} from 'node:fs'
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import type {FlagDefinitions, Processor} from './contract.js'
import {OWN_ROOT} from './load/own-name.js'
import {registerProcessor} from './registered.js'

/**
 * Runs the processor when its file is the program that Node was started with, and does nothing when the file is imported.
 * @param file `import.meta`, or `module` in CommonJS
 * @returns when streamtool has ended; its exit code is the program's
 */
export async function runProcessor<Flags extends FlagDefinitions>(
  file: {readonly url: string} | {readonly filename: string},
  processor: Processor<Flags>,
): Promise<void> {
  const path = 'url' in file ? fileURLToPath(file.url) : file.filename
  registerProcessor(path, processor)
  if (!isMain(path)) return
  const {execute} = await import('@oclif/core')
  await execute({
    dir: pathToFileURL(join(OWN_ROOT, 'bin', 'run.js')).href,
    args: ['process', '--plugin', path, ...process.argv.slice(2)],
  })
}

/** `node mine` may mean mine.js, and the path may lead through symbolic links. */
function isMain(path: string): boolean {
  const [, started] = process.argv
  if (started === undefined) return false
  try {
    return realpathSync(createRequire(path).resolve(started)) === realpathSync(path)
  } catch {
    return false
  }
}
