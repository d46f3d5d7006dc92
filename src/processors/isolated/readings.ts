/** Contents that the other process reads piece by piece, each when it asks for it: that is the back-pressure. */

/** A file that is kept in memory may come in one piece; a message is to be smaller. */
const PIECE_BYTES = 1024 * 1024

export class Readings {
  private readonly underWay = new Map<number, AsyncIterator<Buffer, unknown>>()
  private lastId = 0

  open(content: AsyncIterable<Buffer>): number {
    const id = ++this.lastId
    this.underWay.set(id, smallPieces(content))
    return id
  }

  /** @returns null after the last piece */
  async next(id: number): Promise<Buffer | null> {
    const reading = this.underWay.get(id)
    if (reading === undefined) throw new Error('it is read after its attempt has ended')
    const {done, value} = await reading.next()
    return done === true ? null : value
  }

  async end(id: number): Promise<void> {
    const reading = this.underWay.get(id)
    this.underWay.delete(id)
    await reading?.return?.()
  }

  close(): void {
    // A generator that waits for its source ends when that does; nobody waits for it.
    for (const id of [...this.underWay.keys()]) this.end(id).catch(() => undefined)
  }
}

async function* smallPieces(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of content)
    for (let at = 0; at < piece.length; at += PIECE_BYTES) yield piece.subarray(at, at + PIECE_BYTES)
}
