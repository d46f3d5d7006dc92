import {fileURLToPath} from 'node:url'
import {run, type Finished, type RunOptions} from './processes.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Runs the real program, as built, to its end. */
export function streamtool(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [BIN, ...args], options)
}

/** The same with `--json`. @throws with everything it printed when it does not exit with 0 */
export async function streamtoolJson<Report>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Report> {
  const {exitCode, signal, stdout, stderr} = await streamtool([...args, '--json'], options)
  if (exitCode !== 0)
    throw new Error(`streamtool ${args.join(' ')}: ${signal ?? exitCode ?? ''}\n${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
}
