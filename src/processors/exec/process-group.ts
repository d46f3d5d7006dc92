/**
 * A program and whatever it starts are one process group, so that all of it ends together: when the attempt is over,
 * and when streamtool is.
 */
import {spawn} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'

/** How often a group that was told to end is looked at. */
const LOOK_MS = 20

/** @returns false when the group is no more; signal 0 only asks */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal)
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
  signalGroup(leader, 'SIGKILL')
}

/** Ends the groups of a streamtool that has died in whatever way. */
export interface Guard {
  watch(leader: number): void
  forget(leader: number): void
  close(): void
}

/**
 * A shell that is told which groups there are. It hears of streamtool's end by the end of its standard input, which a
 * SIGKILL brings about too; nothing inside streamtool could. $1 is the grace in seconds.
 */
const GUARD_SCRIPT = `
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) case $groups in
         *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;;
       esac ;;
  esac
done
[ -n "\${groups# }" ] || exit 0
for group in $groups; do kill -s TERM -- "-$group"; done
sleep "$1"
for group in $groups; do kill -s KILL -- "-$group"; done
`

/** @param onTrouble is told when there is no guard, or none any more */
export function startGuard(graceMs: number, onTrouble: (reason: string) => void): Guard {
  const shell = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'sh', String(Math.ceil(graceMs / 1000))], {
    // In a session of its own: what ends streamtool and its terminal does not end the guard.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {PATH: process.env['PATH']},
  })
  let isClosed = false
  const report = (reason: string) => {
    if (!isClosed) onTrouble(reason)
    isClosed = true
  }
  shell.once('error', (error) => report(error.message))
  shell.once('exit', () => report('it has ended'))
  shell.stdin.on('error', (error) => report(error.message))
  // It alone does not keep streamtool running.
  shell.unref()
  const tell = (line: string) => {
    if (!isClosed) shell.stdin.write(`${line}\n`)
  }
  return {
    watch: (leader) => tell(`+ ${leader}`),
    forget: (leader) => tell(`- ${leader}`),
    close() {
      isClosed = true
      shell.stdin.end()
    },
  }
}
