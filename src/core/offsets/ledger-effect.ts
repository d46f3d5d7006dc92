/** What each outcome does to the offsets of a file or record. Reports have one more: `open`, which is none yet. */
export type LedgerEffect = 'done' | 'open'

export const LEDGER_EFFECT = {
  /** The destination holds it, durably. */
  delivered: 'done',
  /** The destination held it already: it was delivered before a crash, and is not delivered again. */
  unchanged: 'done',
  /** Another file has its name at the destination, and the user wants that one kept. */
  kept: 'done',
  /** A newer generation of the path is delivered. */
  superseded: 'done',
  /** A reference to it is on the dead-letter topic. */
  parked: 'done',
  /** Not a chunk: counted, reported, and behind us. */
  poison: 'done',
  /** A copy of a chunk whose upload is concluded. */
  stray: 'done',
  /** Filtered out by the user. */
  skipped: 'done',
  /** Could not be delivered now; tried again at the next start. */
  held: 'open',
  /** Does not match its hash, twice; stays until it is parked or superseded. */
  failed: 'open',
  /** Chunks are missing. */
  incomplete: 'open',
} as const satisfies Record<string, LedgerEffect>

export type OutcomeName = keyof typeof LEDGER_EFFECT
