/** One process, killed again and again, and started again at once. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Step} from '../../../src/core/ports/index.js'
import {CrashRun, type CrashRunOptions, type Evidence} from './crash-run.js'
import type {Fate} from './fate.js'
import {type MixedFiles, writeMixedFiles} from './mixed-files.js'

const BAD_RECORDS = 40

/** The labels that every delivery passes, file by file. */
export const FILE_STEPS = [
  'before-write',
  'after-write',
  'before-verify',
  'after-verify',
  'before-rename',
  'after-rename',
] as const satisfies readonly Step[]

/** Of uploads, which are run again until one gets through. */
export const UPLOAD_LABELS: readonly Fate[] = [
  {step: 'before-produce', nth: 1},
  {step: 'after-produce', nth: 1},
  {step: 'before-produce', nth: 9},
  {step: 'after-produce', nth: 12},
]

/**
 * Of deliveries. Bad records come first on the topic, and are sent to the dead-letter topic; commits come once in
 * 1,000 files, so these while there is much to do.
 */
export const EVERY_LABEL: readonly Fate[] = [
  {step: 'before-produce', nth: 1},
  {step: 'after-produce', nth: 2},
  {step: 'before-commit', nth: 1},
  {step: 'after-commit', nth: 1},
  ...FILE_STEPS.map((step, index) => ({step, nth: 1 + index})),
]

export const FILE_LABELS_LATE: readonly Fate[] = FILE_STEPS.map((step, index) => ({
  step,
  nth: 60 + 7 * index,
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
  const deadLetterTopic = `${options.name}-dead-letters`
  const start = (args: readonly string[], fate?: Fate) =>
    run.start({args: ['--dead-letter-topic', deadLetterTopic, ...args], ...(fate ? {fate} : {})})
  try {
    const input = await options.newDirectory()
    await writeMixedFiles(input, files)
    await run.makeTopic(deadLetterTopic)
    await run.spoil(BAD_RECORDS)
    await run.upload(input)
    for (const fate of fates) await run.killedByFate(start(['--once'], fate))
    for (const ms of momentsMs) {
      const member = start([])
      await member.untilAssigned()
      await sleep(ms)
      await member.kill()
      run.watch.look()
    }
    await start(['--once']).report()
    await run.untilCommitted()
    const letters = await run.deadLetters(deadLetterTopic, BAD_RECORDS)
    const labels = new Set(fates.map(({step}) => step))
    run.note(
      `${fates.length} kills at ${labels.size} labels and ${momentsMs.length} at moments; ` +
        `${BAD_RECORDS} bad records are ${letters} dead letters`,
    )
    return await run.end()
  } finally {
    await run.close()
  }
}

/**
 * Uploads that die, until one gets through; then everything is delivered. What came whole from the ones before is
 * delivered as a generation of its own, and what did not is superseded.
 */
export async function uploadsKilledInARow(
  options: CrashRunOptions,
  {fates, files}: {fates: readonly Fate[]; files: MixedFiles},
): Promise<Evidence> {
  const run = await CrashRun.begin(options)
  try {
    const input = await options.newDirectory()
    await writeMixedFiles(input, files)
    for (const fate of fates) await run.uploadToDie(input, fate)
    await run.upload(input)
    await run.start({args: ['--once']}).report()
    await run.untilCommitted()
    run.note(`${fates.length} uploads killed (what two of them brought whole is delivered twice)`)
    return await run.end()
  } finally {
    await run.close()
  }
}
