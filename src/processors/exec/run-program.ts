/** One program on one file, from its start until nothing of it is left. */
import type {Writable} from 'node:stream'
import {type ProgramEnd, type ProgramStart, startProgram} from './started-program.js'

export type {ProgramEnd} from './started-program.js'

export interface ProgramRun extends ProgramStart {
  /** For its standard input, which is empty without. */
  readonly input: AsyncIterable<Buffer> | null
}

/**
 * @param signal ends it and all that it started
 * @throws what starting it throws; what reading the input throws; the signal's reason. The program has ended by then.
 */
export async function runProgram(run: ProgramRun, signal: AbortSignal): Promise<ProgramEnd> {
  signal.throwIfAborted()
  const program = startProgram(run, run.input ? 'pipe' : 'ignore')
  let failure: {readonly reason: unknown} | null = null
  const stop = (reason: unknown) => {
    failure ??= {reason}
    program.stop()
  }
  const onAbort = () => stop(signal.reason)
  signal.addEventListener('abort', onAbort, {once: true})
  // While a write is under way the program may be stopped.
  const fed = run.input && program.stdin ? feed(run.input, program.stdin).catch(stop) : Promise.resolve()
  try {
    const end = await program.gone
    await fed
    throwIfStopped(failure)
    return end
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function throwIfStopped(failure: {readonly reason: unknown} | null): void {
  if (failure) throw failure.reason
}

/** A program that does not read all of it may have seen enough. */
async function feed(input: AsyncIterable<Buffer>, stdin: Writable): Promise<void> {
  let goOn = (): void => undefined
  stdin.on('drain', () => goOn())
  stdin.on('close', () => goOn())
  for await (const piece of input) {
    if (!stdin.writable) return
    if (stdin.write(piece)) continue
    await new Promise<void>((resolve) => {
      goOn = resolve
      if (stdin.destroyed) resolve()
    })
  }
  stdin.end()
}
