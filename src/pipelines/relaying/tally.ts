/** What a relay has done so far. */
export class RelayTally {
  /** Taken from the inputs. */
  taken = 0
  /** Taken, and done. */
  read = 0
  /** Acknowledged by the output. */
  written = 0
  bytesTaken = 0
  failed = 0
  deadLettered = 0
}
