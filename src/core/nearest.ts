/** The name a user most likely meant, or null when none is near enough to be worth suggesting. */
export function nearest(written: string, names: Iterable<string>): string | null {
  const wanted = written.toLowerCase()
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const name of names) {
    const distance =
      name.startsWith(wanted) && wanted.length >= 3 ? 1 : editDistance(wanted, name.toLowerCase())
    if (distance < bestDistance && distance < name.length) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours count one each. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({length: to.length + 1}, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const changed = from[row - 1] === to[column - 1] ? 0 : 1
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + changed,
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1)
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, to.length)
}

const at = (costs: readonly number[], index: number) => costs[index] ?? Number.POSITIVE_INFINITY
