import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {runOrThrow} from './processes.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const PRELOAD = fileURLToPath(new URL('peak-rss.mjs', import.meta.url))
const MIB = 1 << 20
/** Gigabytes on a busy machine. */
const PATIENCE_MS = 1_800_000

/** What `streamtool` promises of its memory, whatever the files. */
export const RSS_LIMIT_MIB = 300

/** Runs the real program with `--json` to its end; says how much memory it had at its peak. */
export async function streamtoolWithPeak(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{report: unknown; peakMiB: number}> {
  const directory = await mkdtemp(join(tmpdir(), 'streamtool-peak-'))
  const file = join(directory, 'peak')
  try {
    const {stdout} = await runOrThrow(process.execPath, ['--import', PRELOAD, BIN, ...args, '--json'], {
      env: {...env, PEAK_RSS_FILE: file},
      timeoutMs: PATIENCE_MS,
    })
    const peakMiB = Math.round(Number(await readFile(file, 'utf8')) / MIB)
    return {report: JSON.parse(stdout) as unknown, peakMiB}
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}
