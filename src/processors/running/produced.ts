/** What an attempt has produced: it succeeds only when all of it is acknowledged, awaited or not. */
export class Produced {
  private readonly pending = new Set<Promise<void>>()
  private failure: {readonly thrown: unknown} | null = null
  private isClosed = false

  /** @returns what the plugin may await; if it does not, its failure is kept for {@link settled} */
  add(send: () => Promise<void>): Promise<void> {
    if (this.isClosed)
      return Promise.reject(
        new Error('context.produce was called after its attempt had ended: await all that process() begins'),
      )
    const sending = send()
    const noted = sending.catch((thrown: unknown) => {
      this.failure ??= {thrown}
    })
    this.pending.add(noted)
    void noted.then(() => this.pending.delete(noted))
    return sending
  }

  /** @throws the first failure */
  async settled(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending)
    if (this.failure !== null) throw this.failure.thrown
  }

  close(): void {
    this.isClosed = true
  }
}
