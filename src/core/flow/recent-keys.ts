/** Remembers the last so many keys, and forgets the one that was set longest ago. */
export class RecentKeys<Value> {
  private readonly entries = new Map<string, Value>()

  constructor(private readonly capacity: number) {}

  get(key: string): Value | undefined {
    return this.entries.get(key)
  }

  values(): Iterable<Value> {
    return this.entries.values()
  }

  set(key: string, value: Value): void {
    this.entries.delete(key)
    this.entries.set(key, value)
    if (this.entries.size <= this.capacity) return
    const oldest = this.entries.keys().next()
    if (!oldest.done) this.entries.delete(oldest.value)
  }
}
