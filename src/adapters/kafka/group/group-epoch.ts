/** One assignment, as the handler holds it: good for commits and seeks until it is over, and never after. */
import {StreamtoolError} from '../../../core/errors.js'
import type {CommittedOffset, Epoch} from '../../../core/ports/index.js'
import type {TopicPartition} from '../../../core/record.js'

export interface EpochActions {
  commit(offsets: readonly CommittedOffset[]): Promise<void>
  seek(partition: TopicPartition, offset: number): void
}

export class GroupEpoch implements Epoch {
  readonly #over = new AbortController()

  constructor(
    readonly generation: number,
    private readonly groupId: string,
    private readonly actions: EpochActions,
  ) {}

  get signal(): AbortSignal {
    return this.#over.signal
  }

  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    this.signal.throwIfAborted()
    if (offsets.length > 0) await this.actions.commit(offsets)
  }

  seek(partition: TopicPartition, offset: number): void {
    if (!this.signal.aborted) this.actions.seek(partition, offset)
  }

  end(): void {
    if (this.signal.aborted) return
    const message = `generation ${this.generation} of group ${this.groupId} is over for this member`
    this.#over.abort(
      new StreamtoolError('GROUP_STALE', message, {
        facts: {groupId: this.groupId, generation: this.generation},
      }),
    )
  }
}
