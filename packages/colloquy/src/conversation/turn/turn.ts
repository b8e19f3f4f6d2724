import { describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageRecord } from '../stores/store.ts'
import type { Reply, WrittenSummary } from './reply.ts'
import { failureOf, isStop } from './stream/failure.ts'
import { checkResponseOptions, turnResponse, type TurnResponseOptions } from './stream/response.ts'
import { stepEnd } from './stream/step-events.ts'
import type { StepStartEvent, TurnEndEvent, TurnEvent } from './stream/turn-event.ts'

const stepSeparator = '\n\n'

/** How long an aborted turn waits for the engine to stop. */
const graceMs = 1000

/** The end of a step. The message is parsed when the event is read: most turns are not streamed to another program. */
interface RecordedStep {
  type: 'step_end'
  record: MessageRecord
}

/** An event of a turn that has not ended. */
type StreamedEvent = StepStartEvent | MessageStreamEvent | RecordedStep

/** How the running turn reaches its `Turn`. */
export interface TurnControl {
  readonly signal: AbortSignal
  /** Waits for work, but rejects a while after an abort: an aborted turn does not wait for an engine that ignores the signal. */
  untilGivenUp(work: Promise<void>): Promise<void>
  abort(reason: unknown): void
  emit(event: StreamedEvent): void
  /** @param message returns the message as far as it has arrived. */
  exposeMessage(message: () => Message | undefined): void
  /** Whether the outcome is recorded in the conversation, so that an error cannot go unnoticed. */
  isRecorded: boolean
  /** The summaries that were written in the course of the turn. */
  readonly summaries: WrittenSummary[]
  isSummarizing: boolean
}

/** The progress of a turn, from which its readers learn. */
class Progress implements TurnControl {
  isRecorded = false
  readonly summaries: WrittenSummary[] = []
  isSummarizing = false
  readonly events: StreamedEvent[] = []
  message: () => Message | undefined = () => undefined
  readonly #controller = new AbortController()
  /** Rejects the promise of the work that is waited for. */
  #giveUp: ((reason: unknown) => void) | undefined
  #giveUpTimer: ReturnType<typeof setTimeout> | undefined
  #waiting: (() => void)[] = []
  #isOver = false

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  untilGivenUp(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      work.then(resolve, reject)
    })
  }

  abort(reason: unknown): void {
    if (this.#isOver) return
    this.#controller.abort(reason)
    this.#giveUpTimer ??= setTimeout(() => this.#giveUp?.(this.signal.reason), graceMs)
  }

  emit(event: StreamedEvent): void {
    this.events.push(event)
    this.#wake()
  }

  exposeMessage(message: () => Message | undefined): void {
    this.message = message
  }

  /** The turn has ended. */
  end(): void {
    clearTimeout(this.#giveUpTimer)
    this.#isOver = true
    this.#wake()
  }

  /** Yields all events, from the first one on, until the turn has ended. */
  async *log(): AsyncGenerator<StreamedEvent> {
    for (let index = 0; ; index++) {
      while (index === this.events.length && !this.#isOver) {
        await new Promise<void>((wake) => this.#waiting.push(wake))
      }
      if (index === this.events.length) break
      yield this.events[index]!
    }
  }

  #wake(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

interface TurnRun {
  /** Aborts the turn. */
  signal?: AbortSignal | undefined
  /** Called when the turn has ended, before its reply is known. */
  onEnd?: () => void
}

/**
 * A turn: a question and its reply. Await it for the reply, iterate over it while the reply arrives, or both, in any order.
 *
 * A turn runs even if it is neither awaited nor iterated, and leaving a loop early does not stop it: `abort()` does. Whatever
 * the outcome, what arrived is kept in the conversation. A turn that fails without being awaited causes an unhandled
 * rejection only if the failure could not be recorded in the conversation either.
 */
export class Turn implements Promise<Reply>, AsyncIterable<MessageStreamEvent> {
  readonly [Symbol.toStringTag] = 'Turn'
  readonly #reply = Promise.withResolvers<Reply>()
  readonly #progress = new Progress()
  #observed = false

  constructor(run: (control: TurnControl) => Promise<Reply>, options: TurnRun = {}) {
    void this.#run(run, options)
  }

  /**
   * The text of all steps as it arrives, always from the first character on. An empty line separates the texts of two steps.
   * Ends when the reply is recorded.
   */
  get text(): AsyncIterable<string> {
    return this.#texts()
  }

  /** The stream's events as they arrive, always from the first event on. Ends when the reply is recorded. */
  get events(): AsyncIterable<MessageStreamEvent> {
    return this.#iterate()
  }

  /**
   * The events of the stream, with the beginning and the end of each step and of the turn, always from the first event on.
   * Never throws: the error that ended the turn is in `turn_end`.
   */
  get stream(): AsyncIterable<TurnEvent> {
    this.#observed = true
    return this.#stream()
  }

  /** The ids of the replies that have begun. */
  get replies(): string[] {
    return this.#progress.events.filter((event) => event.type === 'step_start').map(({ messageId }) => messageId)
  }

  /** The message as far as it has arrived; undefined before the reply begins. */
  get message(): Message | undefined {
    return this.#progress.message()
  }

  /** Whether a request of its own is summarizing earlier turns, before the reply is requested. */
  get isSummarizing(): boolean {
    return this.#progress.isSummarizing
  }

  /** Stops the reply and keeps what has arrived. The turn rejects with an `APIUserAbortError`. */
  abort(): void {
    this.#progress.abort(undefined)
  }

  /**
   * A response with the events of `stream` as server-sent events, for `readTurn()` in a browser. A client that lost the
   * connection continues with `conversations.resume()`. The turn runs to its end if the client leaves.
   *
   * If the turn fails before it begins, the response is the error, with its status.
   */
  async toResponse(options: TurnResponseOptions = {}): Promise<Response> {
    checkResponseOptions(options, 'toResponse()')
    return turnResponse(this.stream, options)
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

  /** Yields the events of the stream, like `events`. */
  [Symbol.asyncIterator](): AsyncIterator<MessageStreamEvent> {
    return this.#iterate()
  }

  async #run(run: (control: TurnControl) => Promise<Reply>, { signal, onEnd }: TurnRun): Promise<void> {
    const { promise, resolve, reject } = this.#reply
    const progress = this.#progress
    const abort = (): void => progress.abort(signal?.reason)
    try {
      // The caller gets the turn before anything happens to it.
      await Promise.resolve()
      checkSignal(signal)
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
      resolve(await run(progress))
    } catch (error) {
      if (progress.isRecorded || this.#observed) promise.catch(() => {})
      reject(error)
    } finally {
      onEnd?.()
      signal?.removeEventListener?.('abort', abort)
      progress.end()
    }
  }

  async *#texts(): AsyncGenerator<string> {
    let separator = ''
    let hasText = false
    for await (const event of this.#iterate()) {
      if (event.type === 'message_start') separator = hasText ? stepSeparator : ''
      if (event.type !== 'content_block_delta' || event.delta.type !== 'text_delta') continue
      yield `${separator}${event.delta.text}`
      separator = ''
      hasText = true
    }
  }

  #iterate(): AsyncGenerator<MessageStreamEvent> {
    this.#observed = true
    return this.#follow()
  }

  async *#follow(): AsyncGenerator<MessageStreamEvent> {
    for await (const event of this.#progress.log())
      if (event.type !== 'step_start' && event.type !== 'step_end') yield event
    await this.#reply.promise
  }

  async *#stream(): AsyncGenerator<TurnEvent> {
    for await (const event of this.#progress.log()) yield event.type === 'step_end' ? stepEnd(event.record) : event
    yield await this.#reply.promise.then(() => turnEnd(undefined), turnEnd)
  }
}

function turnEnd(error: unknown): TurnEndEvent {
  const stopped = isStop(error)
  if (error === undefined || stopped) return { type: 'turn_end', stopped, error: null }
  return { type: 'turn_end', stopped, error: failureOf(error) }
}

function checkSignal(signal: unknown): void {
  if (signal == null || typeof (signal as Partial<AbortSignal>).addEventListener === 'function') return
  throw new AnthropicError(
    `Cannot use the signal of a turn as it must be an AbortSignal: found ${describeValue(signal)}`,
  )
}
