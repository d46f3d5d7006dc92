/**
 * Member ids that were given out with MEMBER_ID_REQUIRED and have not joined yet (KIP-394). A rebalance waits for
 * them, as long as a session lasts.
 */
export class AnnouncedMembers {
  readonly #timers = new Map<string, NodeJS.Timeout>()

  get size(): number {
    return this.#timers.size
  }

  has(memberId: string): boolean {
    return this.#timers.has(memberId)
  }

  add(memberId: string, sessionTimeoutMs: number, expired: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(memberId)
      expired()
    }, sessionTimeoutMs)
    this.#timers.set(memberId, timer)
  }

  delete(memberId: string): void {
    clearTimeout(this.#timers.get(memberId))
    this.#timers.delete(memberId)
  }

  close(): void {
    for (const memberId of [...this.#timers.keys()]) this.delete(memberId)
  }
}
