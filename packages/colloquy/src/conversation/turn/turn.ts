import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { Message, StopReason, Usage } from '../../protocol/types/message.ts'
import type { CacheReport } from '../cache/cache-planner.ts'
import type { ReplyCost } from '../money/ledger.ts'
import type { WindowReport, WrittenSummary } from './window-report.ts'

/** What the model answered, kept. */
export interface Reply {
  /** In the conversation: for `retry`, `edit`, `switchTo`. The API's own id is `message.id`. */
  messageId: string
  /** The message that it answers; undefined at the beginning. */
  parentId: string | undefined
  message: Message
  text: string
  usage: Usage
  /** Undefined: the model has no known price. */
  cost: ReplyCost | undefined
  /** What was planned for the prompt cache and what came of it; undefined where no marks were placed. */
  cache: CacheReport | undefined
  /** What became of the messages that the window had no room for; undefined where all were sent. */
  window: WindowReport | undefined
  stopReason: StopReason | null
}

/** How long an engine may take to stop when it is told to; after that it is left to itself. */
const graceMs = 1000

/** What the one who runs a turn has of it. */
export interface TurnControl {
  readonly signal: AbortSignal
  /** Rejects a while after the abort: whoever stops a reply does not wait for an engine that does not hear. */
  readonly left: Promise<never>
  abort(reason: unknown): void
  publish(event: MessageStreamEvent): void
  /** Says where the message so far can be had. */
  watch(message: () => Message | undefined): void
  /** The failure, should there be one, is written down where it will be found. */
  kept: boolean
  /** Those that were written in the course of the turn. */
  readonly summaries: WrittenSummary[]
  isSummarizing: boolean
}

/**
 * One exchange: await it for the reply, or iterate over it while it arrives, or both, in any order.
 *
 * It runs whether or not anyone looks, and leaving a loop early does not stop it: `abort()` does. Whatever the outcome, what
 * arrived is kept in the conversation. So a turn that fails and that nobody awaits is no unhandled rejection: the failure
 * stands in the conversation. Only one that could not even be written down, and that nobody looked at, is.
 */
export class Turn implements Promise<Reply>, AsyncIterable<MessageStreamEvent> {
  readonly [Symbol.toStringTag] = 'Turn'
  readonly #reply = Promise.withResolvers<Reply>()
  readonly #controller = new AbortController()
  readonly #left = Promise.withResolvers<never>()
  #leaving: ReturnType<typeof setTimeout> | undefined
  readonly #events: MessageStreamEvent[] = []
  #waiting: (() => void)[] = []
  #settled = false
  #observed = false
  #control: TurnControl | undefined
  #message: () => Message | undefined = () => undefined

  constructor(run: (control: TurnControl) => Promise<Reply>, signal?: AbortSignal) {
    void this.#run(run, signal)
  }

  /** The text as it arrives, from the first character whenever the loop begins. Ends once the reply is kept. */
  get text(): AsyncIterable<string> {
    return this.#texts()
  }

  /** The stream's events as they arrive, from the first whenever the loop begins. Ends once the reply is kept. */
  get events(): AsyncIterable<MessageStreamEvent> {
    return this.#iterate()
  }

  /** The message so far; undefined before the model began. */
  get message(): Message | undefined {
    return this.#message()
  }

  /** Earlier turns are being summed up, by a call of its own: the reply is asked for after that. */
  get isSummarizing(): boolean {
    return this.#control?.isSummarizing ?? false
  }

  /** Stops the reply. What arrived is kept; whoever waits gets an `APIUserAbortError`. */
  abort(): void {
    this.#abort()
  }

  then<Result = Reply, Failure = never>(
    onReply?: ((reply: Reply) => Result | PromiseLike<Result>) | null,
    onFailure?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#observed = true
    return this.#reply.promise.then(onReply, onFailure)
  }

  catch<Failure = never>(
    onFailure?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Reply | Failure> {
    return this.then(null, onFailure)
  }

  finally(onSettled?: (() => void) | null): Promise<Reply> {
    this.#observed = true
    return this.#reply.promise.finally(onSettled)
  }

  [Symbol.asyncIterator](): AsyncIterator<MessageStreamEvent> {
    return this.#iterate()
  }

  async #run(run: (control: TurnControl) => Promise<Reply>, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = this.#reply
    const abort = (): void => this.#abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const control: TurnControl = {
      signal: this.#controller.signal,
      left: this.#left.promise,
      abort: (reason) => this.#abort(reason),
      publish: (event) => this.#publish(event),
      watch: (message) => (this.#message = message),
      kept: false,
      summaries: [],
      isSummarizing: false,
    }
    this.#control = control
    try {
      // Whoever asked has the turn in hand before anything happens to it.
      await Promise.resolve()
      resolve(await run(control))
    } catch (error) {
      if (control.kept || this.#observed) promise.catch(() => {})
      reject(error)
    } finally {
      signal?.removeEventListener('abort', abort)
      clearTimeout(this.#leaving)
      this.#settled = true
      this.#wake()
    }
  }

  #abort(reason?: unknown): void {
    if (this.#settled) return
    const { signal } = this.#controller
    this.#controller.abort(reason)
    this.#left.promise.catch(() => {})
    this.#leaving ??= setTimeout(() => this.#left.reject(signal.reason), graceMs)
  }

  #publish(event: MessageStreamEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  async *#texts(): AsyncGenerator<string> {
    for await (const event of this.#iterate()) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text
    }
  }

  #iterate(): AsyncGenerator<MessageStreamEvent> {
    this.#observed = true
    return this.#follow()
  }

  async *#follow(): AsyncGenerator<MessageStreamEvent> {
    for (let index = 0; ; index++) {
      while (index === this.#events.length && !this.#settled) {
        await new Promise<void>((wake) => this.#waiting.push(wake))
      }
      if (index === this.#events.length) break
      yield this.#events[index]!
    }
    await this.#reply.promise
  }
}

/** An abort has one shape, whatever the engine made of it. */
export function abortError(cause: unknown): APIUserAbortError {
  return cause instanceof APIUserAbortError ? cause : new APIUserAbortError({ cause })
}
