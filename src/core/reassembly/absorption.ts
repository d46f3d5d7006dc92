import type {Assembly} from './assembly.js'

/**
 * Waiting until nobody needs the data of records that were accepted. Several callers may have records in the same
 * assembly, so each waits for all that was accepted before it asked, also for what another one waits for already.
 */
export class Absorption {
  /** Given data since somebody asked last. */
  private touched = new Set<Assembly>()
  /** What others wait for; null when nobody does. */
  private underWay: Promise<boolean> | null = null

  add(assembly: Assembly): void {
    this.touched.add(assembly)
  }

  /** @returns whether the data is free: false when a writer failed, which may still be reading what it was given */
  async ended(): Promise<boolean> {
    const {touched, underWay} = this
    this.touched = new Set()
    const ended = this.allEnded(touched, underWay)
    this.underWay = ended
    const isFree = await ended
    if (this.underWay === ended) this.underWay = null
    return isFree
  }

  private async allEnded(touched: ReadonlySet<Assembly>, before: Promise<boolean> | null): Promise<boolean> {
    let isFree = (await before) ?? true
    for (const assembly of touched) isFree = (await assembly.absorbed()) && isFree
    return isFree
  }
}
