/** One `reconstruct` or `process` as a process of its own, to be killed; all that it tells is kept. */
import {type ChildProcess, spawn} from 'node:child_process'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import type {DeliverReport, PipelineEvent} from '../../../src/core/report.js'
import {eventually} from '../eventually.js'
import {collect, diesWithUs, ended} from '../processes.js'
import {Appointment, type Fate} from './fate.js'

const BIN = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
const PATIENCE_MS = 120_000

export type TimedEvent = PipelineEvent & {readonly time: string}

export interface MemberOptions {
  readonly topic: string
  readonly output: string
  readonly env: NodeJS.ProcessEnv
  readonly fate?: Fate
  readonly args?: readonly string[]
  /** `reconstruct` unless given. */
  readonly command?: string
}

export class Member {
  readonly events: TimedEvent[] = []
  readonly startedAt = Date.now()
  private readonly child: ChildProcess
  private readonly stderr: () => Buffer
  readonly gone: Promise<[number | null, NodeJS.Signals | null]>
  private readonly appointment: Appointment | null
  private readonly command: string
  private readonly waiting = new Set<() => void>()

  constructor({topic, output, env, fate, args = [], command = 'reconstruct'}: MemberOptions) {
    this.command = command
    this.appointment = fate ? new Appointment(fate) : null
    this.child = spawn(
      process.execPath,
      [
        ...(this.appointment?.nodeArgs ?? []),
        ...[BIN, command, '--topic', topic, '--output', output, '--events', '--json'],
        ...['--progress', 'none', ...args],
      ],
      {env: {...env, ...this.appointment?.env}},
    )
    diesWithUs(this.child)
    this.stderr = collect(this.child.stderr!)
    const read = new Promise<void>((resolve) => {
      createInterface({input: this.child.stdout!})
        .on('line', (line) => this.take(line))
        .once('close', resolve)
    })
    this.gone = ended(this.child).then(async (end) => {
      await read
      for (const look of this.waiting) look()
      return end
    })
  }

  /** The partitions that it was given last; null before it was given any. */
  get partitions(): readonly number[] | null {
    const last = this.events.findLast(({event}) => event === 'assignment')
    return last?.event === 'assignment' ? last.partitions.map(({partition}) => partition) : null
  }

  /** From its start to its first partitions. */
  get secondsToAssignment(): number | null {
    const first = this.events.find(({event}) => event === 'assignment')
    return first ? (Date.parse(first.time) - this.startedAt) / 1000 : null
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get wasKilled(): boolean {
    return this.child.signalCode === 'SIGKILL'
  }

  /** Waits for what it tells; fails by name when it ends before, or is silent for too long. */
  async until(
    what: string,
    condition: (events: readonly TimedEvent[]) => boolean,
    withinMs = PATIENCE_MS,
  ): Promise<void> {
    if (condition(this.events)) return
    let timer: NodeJS.Timeout | undefined
    let look: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => {
          if (condition(this.events)) resolve()
          else if (!this.isRunning) reject(this.failure(`ended before ${what}`))
        }
        this.waiting.add(look)
        timer = setTimeout(
          () => reject(this.failure(`waited ${withinMs} ms in vain until ${what}`)),
          withinMs,
        )
        look()
      })
    } finally {
      clearTimeout(timer)
      if (look) this.waiting.delete(look)
    }
  }

  async untilAssigned(count = 1): Promise<void> {
    await this.until(
      'it was given partitions',
      (events) => events.filter(({event}) => event === 'assignment').length >= count,
    )
  }

  /** Waits until it met its fate. @throws when it ended in another way, or did not end: it never got there */
  async untilKilledByFate(): Promise<void> {
    if (!this.appointment) throw new Error('it has no fate')
    const timeout = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS)
    await this.gone
    clearTimeout(timeout)
    if (!this.appointment.wasKept()) throw this.failure(`never reached ${this.appointment.label}`)
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.gone
  }

  /** A graceful stop. @throws when it does not exit with 0 */
  async stop(): Promise<DeliverReport> {
    this.child.kill('SIGTERM')
    return this.report()
  }

  /** Its report, once it has ended by itself. @throws when it does not exit with 0 */
  async report(): Promise<DeliverReport> {
    const [exitCode] = await this.gone
    const last = this.events.at(-1)
    if (exitCode !== 0 || last?.event !== 'finished') throw this.failure('did not end well')
    return last.report as DeliverReport
  }

  /** What it said on stderr. */
  get words(): string {
    return this.stderr().toString()
  }

  private take(line: string): void {
    // The last line of a process that was killed may be cut.
    if (!line.endsWith('}')) return
    this.events.push(JSON.parse(line) as TimedEvent)
    for (const look of this.waiting) look()
  }

  failure(what: string): Error {
    const {exitCode, signalCode} = this.child
    const tail = this.events
      .filter(({event}) => event !== 'file.delivered' && event !== 'committed')
      .slice(-6)
      .map((event) => JSON.stringify(event))
    return new Error(
      `${this.command} ${what} (exit code ${exitCode ?? '-'}, signal ${signalCode ?? '-'}):\n` +
        `${this.stderr().toString().slice(-4000)}\n${tail.join('\n')}`,
    )
  }
}

/** All of them are running, and have divided the partitions among themselves. */
export async function untilShared(members: readonly Member[], partitionCount: number): Promise<void> {
  const isShared = () => {
    for (const member of members) if (!member.isRunning) throw member.failure('ended')
    const given = members.flatMap(({partitions}) => partitions ?? [])
    const each = members.every(({partitions}) => partitions !== null && partitions.length > 0)
    return each && given.length === partitionCount && new Set(given).size === partitionCount
  }
  try {
    await eventually(`they share ${partitionCount} partitions`, isShared, 60_000, 20)
  } catch (thrown) {
    const states = members.map((member) => member.failure('has no share').message)
    throw new Error(states.join('\n'), {cause: thrown})
  }
}
