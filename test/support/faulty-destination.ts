/** A destination that is slow and fails as planned, and counts the writers that nobody has closed. */
import {type ErrorCode, StreamtoolError} from '../../src/core/errors.js'
import type {Destination, FileWriter, IncomingFile} from '../../src/core/ports/index.js'
import {type SharedStore, StoreDestination} from './delivery.js'

export interface PlannedFault {
  readonly at: 'open' | 'write' | 'finish'
  readonly code: ErrorCode
  /** How often it fails before it works. */
  times: number
}

export class FaultyDestination implements Destination {
  /** Opened, and neither finished nor discarded. */
  openWriters = 0
  private readonly inner: StoreDestination

  constructor(
    store: SharedStore,
    private readonly faults: ReadonlyMap<string, PlannedFault> = new Map(),
    pace?: () => Promise<void>,
  ) {
    this.inner = new StoreDestination(store, pace)
  }

  set onStep(onStep: (step: number) => void) {
    this.inner.onStep = onStep
  }

  /** From now on nothing of it takes effect. */
  kill(): void {
    this.inner.killed = true
  }

  async open(file: IncomingFile): Promise<FileWriter> {
    this.failAt('open', file)
    const writer = await this.inner.open(file)
    this.openWriters += 1
    let isOpen = true
    const close = () => {
      if (isOpen) this.openWriters -= 1
      isOpen = false
    }
    return {
      write: async (data) => {
        await writer.write(data)
        this.failAt('write', file)
      },
      finish: async (sizeBytes) => {
        this.failAt('finish', file)
        const outcome = await writer.finish(sizeBytes)
        close()
        return outcome
      },
      discard: async () => {
        await writer.discard()
        close()
      },
    }
  }

  recall(): Promise<'nothing'> {
    return this.inner.recall()
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  private failAt(at: PlannedFault['at'], {path}: IncomingFile): void {
    const fault = this.faults.get(path)
    if (fault?.at !== at || fault.times === 0) return
    fault.times -= 1
    throw new StreamtoolError(fault.code, `${path} was to fail at ${at}`)
  }
}

/** Turns of the event loop to wait, one number after another, over and over. */
export function pacedBy(turns: readonly number[]): () => Promise<void> {
  let next = 0
  return async () => {
    for (let left = turns[next++ % turns.length] ?? 0; left > 0; left--)
      await new Promise((resolve) => setImmediate(resolve))
  }
}
