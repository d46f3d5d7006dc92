/** A group in a storm: members, connections and brokers die. */
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {CrashRun, type CrashRunOptions, type Evidence} from './crash-run.js'
import type {Fate} from './fate.js'
import type {Member} from './member.js'
import {type MixedFiles, writeMixedFiles} from './mixed-files.js'

/** Longer than commits are apart. */
const BUSY_MS = 8_000

/** What happens beside a kill in one round of a storm. */
export type Disturbance = 'cut' | 'reset' | 'broker' | 'join' | 'leave' | 'none'

export interface StormRound {
  readonly fate: Fate
  readonly disturbance: Disturbance
}

/**
 * Members of one group, writing to one directory. In each round files are uploaded while one member is killed at a
 * label and started again, and something else happens: connections are cut, the broker dies and comes back, a third
 * member joins, or it dies for good.
 */
export async function storm(
  options: CrashRunOptions,
  {rounds, files}: {rounds: readonly StormRound[]; files: MixedFiles},
): Promise<Evidence> {
  const run = await CrashRun.begin(options)
  const {broker, newDirectory} = options
  const sessionArgs = ['--session-timeout', '10s']
  const member = (instance: string, fate?: Fate): Member =>
    run.start({args: ['--instance-id', instance, ...sessionArgs], ...(fate ? {fate} : {})})
  const count: Record<string, number> = {}
  try {
    const steady = member('steady')
    await steady.untilAssigned()
    let third: Member | null = null
    for (const [index, {fate, disturbance}] of rounds.entries()) {
      const victim = member('victim', fate)
      // With work left over from the round before, it may even have met its fate by now.
      await victim.untilAssigned()
      const input = await newDirectory()
      await writeMixedFiles(join(input, `round-${index}`), files)
      const uploading = run.upload(input)
      if (disturbance === 'cut') run.proxy.cut('end')
      if (disturbance === 'reset') run.proxy.cut('reset')
      if (disturbance === 'join') third = member('third')
      await uploading
      if (disturbance === 'broker') {
        await broker.killHard()
        await broker.start()
      }
      if (disturbance === 'leave' && third) {
        await third.kill()
        third = null
      }
      await keepBusy(run, victim, newDirectory, `round-${index}`)
      await run.killedByFate(victim)
      count[disturbance] = (count[disturbance] ?? 0) + 1
    }
    const last = member('victim')
    await run.untilAllDelivered()
    await run.untilCommitted()
    for (const member of [steady, last, third]) await member?.stop()
    run.note(
      `a group of 2 and 3 members, ${rounds.length} killed at labels, ` +
        Object.entries(count)
          .filter(([name]) => name !== 'none')
          .map(([name, times]) => `${times} × ${name}`)
          .join(', '),
    )
    return await run.end()
  } finally {
    await run.close()
  }
}

/** Others may have done its work while it was cut off; then it needs more, or it would never reach its step. */
async function keepBusy(
  run: CrashRun,
  victim: Member,
  newDirectory: () => Promise<string>,
  prefix: string,
): Promise<void> {
  for (let more = 1; more <= 8; more++) {
    await Promise.race([victim.gone, sleep(BUSY_MS)])
    if (!victim.isRunning) return
    const input = await newDirectory()
    await writeMixedFiles(join(input, `${prefix}-${more}`), {small: 100, large: 0})
    await run.upload(input)
  }
}
