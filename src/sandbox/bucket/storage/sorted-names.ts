/** Names in the order of their UTF-8 bytes, which is that of every listing. */
export class SortedNames {
  readonly #names: Set<string>
  #sorted: string[] | null = null

  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
  }

  add(name: string): void {
    if (this.#names.has(name)) return
    this.#names.add(name)
    this.#sorted = null
  }

  delete(name: string): void {
    if (this.#names.delete(name)) this.#sorted = null
  }

  /** From the first that is not before `start`. */
  *from(start: string): Generator<string> {
    const sorted = (this.#sorted ??= [...this.#names].sort(compareUtf8))
    let low = 0
    for (let high = sorted.length; low < high;) {
      const middle = (low + high) >>> 1
      if (compareUtf8(sorted[middle] as string, start) < 0) low = middle + 1
      else high = middle
    }
    for (; low < sorted.length; low++) yield sorted[low] as string
  }
}

export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for characters above U+FFFF, though their own code is below U+E000. */
const rank = (code: number) => (code >= 0xd800 && code < 0xe000 ? code + 0x1_0000 : code)
