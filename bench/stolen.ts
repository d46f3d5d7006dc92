/** A virtual machine's processors are shared with others that cannot be seen from inside; how much of them they took can. */
import {readFileSync} from 'node:fs'

/**
 * @returns tells the share of the processor time which was wanted here since the call, and went to others (steal of
 *   /proc/stat; https://docs.kernel.org/filesystems/proc.html)
 */
export function watchStolen(): () => number {
  const before = ticks()
  return () => {
    const {wanted, stolen} = ticks()
    const all = wanted - before.wanted
    return all === 0 ? 0 : (stolen - before.stolen) / all
  }
}

function ticks(): {wanted: number; stolen: number} {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = (
    line.match(/\d+/g) ?? []
  ).map(Number)
  return {wanted: user + nice + system + irq + softirq + stolen, stolen}
}
