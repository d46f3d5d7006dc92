/**
 * What a plugin's process or a program starts is of one process group with it, so that all of it ends together: when the
 * attempt is over, and when streamtool is. Windows has no such groups; there the one process is meant.
 */
import {setTimeout as sleep} from 'node:timers/promises'

/** Whether a process that is started detached leads a group. */
export const LEADS_GROUP = process.platform !== 'win32'

/** How often a group that was told to end is looked at. */
const LOOK_MS = 20

/** @returns false when nothing of the group is left; signal 0 only asks */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(LEADS_GROUP ? -leader : leader, signal)
  } catch {
    return false
  }
}

/** SIGTERM, and after the grace SIGKILL. Resolves when nothing of the group is left that can be ended. */
export async function endGroup(leader: number, graceMs: number): Promise<void> {
  if (!signalGroup(leader, 'SIGTERM')) return
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += LOOK_MS) {
    await sleep(LOOK_MS)
    if (!signalGroup(leader, 0)) return
  }
  killGroup(leader)
}

export function killGroup(leader: number): void {
  signalGroup(leader, 'SIGKILL')
}

/** The one that this process leads, at once. */
export function killOwnGroup(): void {
  killGroup(process.pid)
  process.exit(1)
}
