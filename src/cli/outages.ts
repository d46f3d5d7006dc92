/**
 * Several things that one run needs may be in trouble at the same time: the run is out of trouble when the last of them
 * is.
 */
export type TellOutage = (reason: string | null) => void

/** @returns who tells of one of the things */
export function severalOutages(tell: TellOutage): () => TellOutage {
  const reasons = new Map<TellOutage, string>()
  return () => {
    const tellOfOne: TellOutage = (reason) => {
      if (reason === null) reasons.delete(tellOfOne)
      else reasons.set(tellOfOne, reason)
      const [first = null] = reasons.values()
      tell(first)
    }
    return tellOfOne
  }
}
