/** The step at which a process is to die, and how it is known afterwards that it did. */
import {randomUUID} from 'node:crypto'
import {existsSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {Step} from '../../../src/core/ports/index.js'

const KILLER = fileURLToPath(new URL('killer.mjs', import.meta.url))

/** Dies when it reaches the step for the nth time. */
export interface Fate {
  readonly step: Step
  readonly nth: number
}

/** What it takes to let a fate befall a process. */
export class Appointment {
  readonly nodeArgs = ['--import', KILLER]
  readonly env: NodeJS.ProcessEnv
  private readonly marker = join(tmpdir(), `streamtool-killed-${randomUUID()}`)

  constructor(private readonly fate: Fate) {
    this.env = {KILL_AT_STEP: fate.step, KILL_AT_TIME: String(fate.nth), KILL_MARKER: this.marker}
  }

  get label(): string {
    return `${this.fate.step} #${this.fate.nth}`
  }

  /** Whether it died there, and not in another way. Asked once. */
  wasKept(): boolean {
    const wasKept = existsSync(this.marker)
    rmSync(this.marker, {force: true})
    return wasKept
  }
}
