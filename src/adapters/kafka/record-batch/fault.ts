/** A batch that cannot be read, told without saying where; {@link ./decode.ts} knows and adds it. */
export class BatchFault extends Error {
  override readonly name = 'BatchFault'
}
