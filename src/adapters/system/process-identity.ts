/**
 * Who a process is, written down so that another process can tell later whether it still lives: after kill -9,
 * after a reboot, from another container.
 */
import {readFileSync, readlinkSync} from 'node:fs'
import {hostname} from 'node:os'
import {errno} from './storage-error.js'

export interface ProcessIdentity {
  readonly pid: number
  /** Tells the process from a later one that got the same pid. Linux only. */
  readonly startTime: string | null
  /** What the pid is a number in: host, boot and pid namespace. */
  readonly pidSpace: string
}

/** `unknown`: its pid means nothing here (another host, another container, before a reboot). */
export type Liveness = 'alive' | 'dead' | 'unknown'

let self: ProcessIdentity | undefined

export function thisProcess(): ProcessIdentity {
  return (self ??= {pid: process.pid, startTime: startTimeOf(process.pid), pidSpace: pidSpace()})
}

export function livenessOf(owner: ProcessIdentity): Liveness {
  const here = thisProcess()
  if (owner.pidSpace !== here.pidSpace) return 'unknown'
  if (!pidExists(owner.pid)) return 'dead'
  if (owner.startTime === null || here.startTime === null) return 'alive'
  return startTimeOf(owner.pid) === owner.startTime ? 'alive' : 'dead'
}

/** @returns null for anything but the JSON of an identity: such files can be cut short, or anybody's */
export function parseIdentity(text: string): ProcessIdentity | null {
  try {
    const {pid, startTime, pidSpace} = JSON.parse(text) as Partial<Record<keyof ProcessIdentity, unknown>>
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return null
    if (typeof pidSpace !== 'string' || (typeof startTime !== 'string' && startTime !== null)) return null
    return {pid, startTime, pidSpace}
  } catch {
    return null
  }
}

function pidSpace(): string {
  const bootId = readIfThere('/proc/sys/kernel/random/boot_id')
  // A host name is no part of it on Linux: it can change while processes run.
  if (bootId === null) return `host:${hostname()}`
  return `boot:${bootId.trim()}:${pidNamespace() ?? ''}`
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return null
  }
}

function pidExists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    // EPERM: it is there, and another user's.
    return errno(thrown) === 'EPERM'
  }
}

/**
 * Field 22 of /proc/PID/stat (proc(5)): clock ticks between boot and start. The name in field 2 may hold anything.
 * A process that is dead, and merely not yet waited for by its parent (state Z), has none.
 */
function startTimeOf(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? null : (fields[19] ?? null)
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
