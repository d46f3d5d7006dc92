/** Ends process groups when streamtool has died, in whatever way: then nothing inside of it can. */
import {spawn} from 'node:child_process'

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
