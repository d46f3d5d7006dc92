/**
 * Who still holds something of one answer: its reader until all of it is handed over, and every call that was handed
 * records until it releases them. When nobody does, the answer's memory is used again. A holder that never lets go
 * costs no more than that: the answer is garbage then.
 */
import type {Buffer} from 'node:buffer'
import type {FrameMemory} from '../transport/frame-memory.js'

export class AnswerLease {
  #holders = 0

  constructor(
    private readonly frame: Buffer,
    private readonly memory: FrameMemory | null,
  ) {}

  /** @returns what lets go again; once, however often it is called */
  hold(): () => void {
    this.#holders++
    let holds = true
    return () => {
      if (!holds) return
      holds = false
      if (--this.#holders === 0) this.memory?.give(this.frame)
    }
  }
}
