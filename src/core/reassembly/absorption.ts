import type {Assembly} from './assembly.js'

/**
 * Waiting until nobody needs the data of records that were accepted. Several callers may have records in the same
 * assembly, so each waits for all that was accepted before it asked, also for what another one waits for already.
 */
export class Absorption {
  /** Given data since somebody asked last. */
  private touched = new Set<Assembly>()
  private absorbing: Promise<void> = Promise.resolve()

  add(assembly: Assembly): void {
    this.touched.add(assembly)
  }

  /** Never rejects. */
  ended(): Promise<void> {
    const {touched} = this
    this.touched = new Set()
    this.absorbing = this.absorbing.then(async () => {
      for (const assembly of touched) await assembly.absorbed()
    })
    return this.absorbing
  }
}
