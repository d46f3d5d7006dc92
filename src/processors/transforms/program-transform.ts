/**
 * A program on the records of a relay: one process for each record that is transformed at once, started when it is first
 * needed (running-program.ts).
 */
import type {StreamtoolError} from '../../core/errors.js'
import {Semaphore} from '../../core/flow/index.js'
import type {ConsumedRecord, Logger} from '../../core/ports/index.js'
import type {RecordTransform, Transformed} from '../../core/relay/index.js'
import {parseExec} from '../exec/command.js'
import {inheritedEnvironment} from '../exec/facts.js'
import {startGuard} from '../group-guard.js'
import {findProgram} from '../exec/program.js'
import {RunningProgram, type RunningProgramOptions} from './running-program.js'

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 5000

/** Settings of a relay, and passwords among them, come by these too. */
const SPRING_SETTINGS = ['SPRING_', 'SPRING.']

export interface ProgramSurroundings {
  readonly logger: Logger
  /** The environment of streamtool; the program gets it without settings and secrets. */
  readonly environment: NodeJS.ProcessEnv
  /** How many of it there are, at most. */
  readonly concurrency: number
  /** Ends the run: what was relayed may not be what the program meant. */
  readonly fail: (error: StreamtoolError) => void
}

/** @throws SETTING_INVALID, PLUGIN_UNLOADABLE */
export async function programTransform(
  command: string,
  {logger, concurrency, fail, ...surroundings}: ProgramSurroundings,
): Promise<RecordTransform> {
  const parsed = parseExec(command, {shell: false})
  const environment = inheritedEnvironment(surroundings.environment, SPRING_SETTINGS)
  const program = await findProgram(parsed, environment)
  const guard = startGuard(GRACE_MS, (reason) => logger.debug(`There is no guard for the program: ${reason}`))
  const start = {program, args: parsed.fixedArguments, environment, guard, graceMs: GRACE_MS, logger}
  const programs = new Programs({...start, onOutOfStep: fail}, concurrency)
  return {
    name: parsed.name,
    transform: (record, signal) => programs.ask(record, signal),
    async close() {
      await programs.close()
      guard.close()
    },
  }
}

class Programs {
  private readonly all = new Set<RunningProgram>()
  private readonly idle: RunningProgram[] = []
  private readonly turns: Semaphore
  private outOfStep: StreamtoolError | null = null

  constructor(
    private readonly options: RunningProgramOptions,
    concurrency: number,
  ) {
    this.turns = new Semaphore(concurrency)
  }

  ask(record: ConsumedRecord, signal: AbortSignal): Promise<Transformed> {
    return this.turns.run(
      async () => {
        if (this.outOfStep !== null) throw this.outOfStep
        const program = await this.take()
        try {
          return await program.ask(record, signal)
        } finally {
          this.idle.push(program)
        }
      },
      1,
      signal,
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.all].map((program) => program.close()))
  }

  private async take(): Promise<RunningProgram> {
    const last = this.idle.pop()
    if (last?.isEnding === false) return last
    // Beside what that left running a new one might find its files locked.
    await last?.gone
    const program = new RunningProgram({
      ...this.options,
      onOutOfStep: (error) => {
        this.outOfStep ??= error
        this.options.onOutOfStep(error)
      },
    })
    this.all.add(program)
    void program.gone.then(() => this.all.delete(program))
    return program
  }
}
