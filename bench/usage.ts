/**
 * What a process uses, read from /proc every few milliseconds while it runs: a peak is exact (the kernel keeps
 * it), CPU seconds lack at most the last reading's distance from the end.
 */
import {readFileSync} from 'node:fs'

const READ_EVERY_MS = 10
const TICKS_PER_SECOND = 100

/** What a run cost; seconds are of the wall clock, from the start of the process to the end of its work. */
export interface Usage {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  /** Of the broker, meanwhile. */
  readonly brokerCpuSeconds: number
  /** Of the object store, meanwhile; 0 when there is none. */
  readonly storeCpuSeconds: number
  /** Of everything else on the machine but the benchmark itself, meanwhile: how quiet it was. */
  readonly otherCpuSeconds: number
}

/** The processes that programs are measured with; null is one that there is not. */
export interface Servers {
  readonly brokerPid: number | null
  readonly storePid: number | null
}

export interface Meter {
  /** What was used until now, or until the process ended. */
  read(): Usage
  stop(): void
}

/** Starts the clock. */
export function meter(pid: number, servers: Servers): Meter {
  const started = performance.now()
  const before = surroundings(servers)
  let cpuSeconds = 0
  let peakRssBytes = 0
  const sample = (): void => {
    cpuSeconds = cpuSecondsOf(pid) ?? cpuSeconds
    peakRssBytes = peakRssBytesOf(pid) ?? peakRssBytes
  }
  const timer = setInterval(sample, READ_EVERY_MS)
  return {
    read() {
      const seconds = (performance.now() - started) / 1000
      sample()
      const now = surroundings(servers)
      const brokerCpuSeconds = now.broker - before.broker
      const storeCpuSeconds = now.store - before.store
      const ownCpuSeconds = now.own - before.own
      const machine = now.machine - before.machine
      const known = cpuSeconds + brokerCpuSeconds + storeCpuSeconds + ownCpuSeconds
      const otherCpuSeconds = Math.max(0, machine - known)
      return {seconds, cpuSeconds, peakRssBytes, brokerCpuSeconds, storeCpuSeconds, otherCpuSeconds}
    },
    stop: () => clearInterval(timer),
  }
}

/** The child of this process that runs Java, which is the broker. */
export function brokerPidAmongChildren(): number | null {
  const children = read(`/proc/self/task/${process.pid}/children`)?.trim().split(' ') ?? []
  const java = children.find((pid) => read(`/proc/${pid}/comm`)?.trim() === 'java')
  return java === undefined ? null : Number(java)
}

function surroundings({brokerPid, storePid}: Servers) {
  const own = process.cpuUsage()
  return {
    machine: machineCpuSeconds(),
    broker: cpuSecondsIfAny(brokerPid),
    store: cpuSecondsIfAny(storePid),
    own: (own.user + own.system) / 1e6,
  }
}

const cpuSecondsIfAny = (pid: number | null): number => (pid === null ? 0 : (cpuSecondsOf(pid) ?? 0))

/** User and system time of all threads: fields 14 and 15 of /proc/PID/stat, after the name in brackets. */
function cpuSecondsOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function peakRssBytesOf(pid: number): number | undefined {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq. */
function machineCpuSeconds(): number {
  const [user, nice, system, , , irq, softirq] =
    (read('/proc/stat') ?? '').split('\n')[0]!.match(/\d+/g) ?? []
  return (
    [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks ?? 0), 0) / TICKS_PER_SECOND
  )
}

/** undefined when the process is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
