/**
 * Calls in both directions over the channel between a process and the one that it forked. Messages are cloned
 * structurally, Buffers included.
 *
 *     caller                                   callee
 *       {call: 7, method: 'produce', args}  ->
 *       {cancel: 7, reason}                 ->   aborts the signal of that call
 *                                           <-  {done: 7, value}  or  {failed: 7, error}
 */
import {fromWire, toWire, type WireError} from './wire-error.js'

export type Message =
  | {readonly call: number; readonly method: string; readonly args: unknown}
  | {readonly cancel: number; readonly reason: WireError}
  | {readonly done: number; readonly value: unknown}
  | {readonly failed: number; readonly error: WireError}

/** What can be called: one argument, and a signal that the caller aborts. */
export type Calls = Readonly<Record<string, (args: never, signal: AbortSignal) => Promise<unknown>>>

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

export class Rpc<Theirs extends Calls> {
  private readonly waiting = new Map<number, Waiting>()
  private readonly answering = new Map<number, AbortController>()
  private lastId = 0
  private end: Error | null = null

  /** @param send may throw when the message cannot be cloned */
  constructor(
    private readonly send: (message: Message) => void,
    private readonly ours: Calls,
  ) {}

  /** @throws what the other side threw, or why the channel is over; a signal is passed on, and its effect awaited */
  async call<M extends keyof Theirs & string>(
    method: M,
    args: Parameters<Theirs[M]>[0],
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Theirs[M]>>> {
    signal?.throwIfAborted()
    if (this.end !== null) throw this.end
    const id = ++this.lastId
    const onAbort = () => {
      this.send({cancel: id, reason: toWire(signal?.reason)})
    }
    try {
      const answer = new Promise<unknown>((resolve, reject) => {
        this.waiting.set(id, {resolve, reject})
      })
      this.send({call: id, method, args})
      signal?.addEventListener('abort', onAbort, {once: true})
      return (await answer) as Awaited<ReturnType<Theirs[M]>>
    } finally {
      this.waiting.delete(id)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  received(message: Message): void {
    if ('call' in message) void this.answer(message.call, message.method, message.args)
    else if ('cancel' in message) this.answering.get(message.cancel)?.abort(fromWire(message.reason))
    else if ('done' in message) this.waiting.get(message.done)?.resolve(message.value)
    else this.waiting.get(message.failed)?.reject(fromWire(message.error))
  }

  /** Nothing comes any more. */
  over(reason: Error): void {
    this.end = reason
    for (const {reject} of this.waiting.values()) reject(reason)
    for (const controller of this.answering.values()) controller.abort(reason)
  }

  private async answer(id: number, method: string, args: unknown): Promise<void> {
    const controller = new AbortController()
    this.answering.set(id, controller)
    try {
      const call = this.ours[method]
      if (call === undefined) throw new Error(`There is no call ${method}`)
      this.send({done: id, value: await call(args as never, controller.signal)})
    } catch (thrown) {
      this.send({failed: id, error: toWire(thrown)})
    } finally {
      this.answering.delete(id)
    }
  }
}
