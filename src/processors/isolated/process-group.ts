/** A forked process leads a group, so that what its plugin starts ends with it. Windows has no such groups. */

export const LEADS_GROUP = process.platform !== 'win32'

/** Of another process. */
export function killProcessGroup(pid: number): void {
  kill(LEADS_GROUP ? -pid : pid)
}

/** This one, at once. */
export function endProcessGroup(): void {
  killProcessGroup(process.pid)
  process.exit(1)
}

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}
