/** One process, killed again and again, and started again at once. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Step} from '../../../src/core/ports/index.js'
import {CrashRun, type CrashRunOptions, type Evidence} from './crash-run.js'
import type {Fate} from './member.js'
import {type MixedFiles, writeMixedFiles} from './mixed-files.js'

/** The labels that every delivery passes, file by file. */
export const FILE_STEPS = [
  'before-write',
  'after-write',
  'before-verify',
  'after-verify',
  'before-rename',
  'after-rename',
] as const satisfies readonly Step[]

/** Commits come once in 1,000 files, so those first, while there is much to do. */
export const EVERY_LABEL: readonly Fate[] = [
  {step: 'before-commit', nth: 1},
  {step: 'after-commit', nth: 1},
  ...FILE_STEPS.map((step, index) => ({step, nth: 1 + index})),
]

export const FILE_LABELS_LATE: readonly Fate[] = FILE_STEPS.map((step, index) => ({
  step,
  nth: 180 + 7 * index,
}))

export const COMMIT_LABELS_LATE: readonly Fate[] = [
  {step: 'before-commit', nth: 2},
  {step: 'after-commit', nth: 2},
]

/** Killed at every label and at some moments besides. */
export async function killedInARow(
  options: CrashRunOptions,
  {
    fates,
    momentsMs,
    files,
  }: {
    readonly fates: readonly Fate[]
    /** After it was given its partitions. */
    readonly momentsMs: readonly number[]
    readonly files: MixedFiles
  },
): Promise<Evidence> {
  const run = await CrashRun.begin(options)
  try {
    const input = await options.newDirectory()
    await writeMixedFiles(input, files)
    await run.upload(input)
    for (const fate of fates) await run.killedByFate(run.start({fate, args: ['--once']}))
    for (const ms of momentsMs) {
      const member = run.start()
      await member.untilAssigned()
      await sleep(ms)
      await member.kill()
      run.watch.look()
    }
    await run.start({args: ['--once']}).report()
    await run.untilCommitted()
    const labels = new Set(fates.map(({step}) => step))
    run.note(`${fates.length} kills at ${labels.size} labels and ${momentsMs.length} at moments`)
    return await run.end()
  } finally {
    await run.close()
  }
}
