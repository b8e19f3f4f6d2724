import type { MessageStreamEvent } from 'colloquy/protocol'
import { describeError } from '../../errors/describe-error.ts'
import type { LatestRequest } from '../../engine/connect.ts'
import { retryText } from '../../format.ts'
import { safeText } from '../../terminal/safe-text.ts'

/** The last lines of thinking that are shown while the model thinks. */
const thinkingLines = 2

/** A reply that has sent nothing for so long gets a status again. Milliseconds. */
const silenceMs = 2_000

/** How far a reply has come. Times are those of `performance.now()`. */
export class ReplyProgress {
  readonly startedAt: number = performance.now()
  #firstTokenAt: number | undefined
  #lastEventAt: number = this.startedAt
  /** How far the call of a tool has come, in the words of its server. */
  #call: string | undefined
  #thinking = ''
  #thinkingSince: number | undefined

  /** The thinking of the model so far. */
  get thinking(): string {
    return this.#thinking
  }

  /** Milliseconds from the first token to now; 0 before it. */
  get writingMs(): number {
    return this.#firstTokenAt === undefined ? 0 : performance.now() - this.#firstTokenAt
  }

  get ms(): number {
    return performance.now() - this.startedAt
  }

  /** Says how far the call of a tool has come. Undefined: it has ended. */
  setCall(text: string | undefined): void {
    this.#call = text === undefined ? undefined : safeText(text)
  }

  add(event: MessageStreamEvent): void {
    this.#lastEventAt = performance.now()
    if (event.type !== 'content_block_delta') return
    this.#firstTokenAt ??= performance.now()
    if (event.delta.type !== 'thinking_delta') return
    this.#thinkingSince ??= performance.now()
    this.#thinking += safeText(event.delta.thinking)
  }

  /** Ends a run of thinking and returns how long it took. Undefined if the model was not thinking. */
  endThinking(): number | undefined {
    const since = this.#thinkingSince
    this.#thinkingSince = undefined
    return since === undefined ? undefined : performance.now() - since
  }

  /**
   * The lines below the reply: the wait for a retry, the thinking, the part of the prompt that was read, the progress of a call, or
   * a silence.
   */
  status({ retry, reading }: Readonly<LatestRequest>, isSummarizing: boolean): string[] {
    const waited = Math.round(this.ms / 1000)
    if (retry !== undefined) {
      const left = Math.max(0, Math.ceil((retry.at - performance.now()) / 1000))
      const { sentence } = describeError(retry.error)
      return [`${sentence} ${retryText(retry, String(left))} · Esc gives up`]
    }
    if (this.#thinkingSince !== undefined) {
      const lines = this.#thinking.trimEnd().split('\n').slice(-thinkingLines)
      return [...lines, `thinking ${waited} s · Esc stops · Ctrl-O shows it`]
    }
    const silentMs = performance.now() - this.#lastEventAt
    const isSilent = this.#firstTokenAt === undefined || silentMs >= silenceMs
    if (!isSilent) return []
    const seconds = this.#firstTokenAt === undefined ? waited : Math.round(silentMs / 1000)
    const activity = this.#call === undefined ? activityOf(reading, isSummarizing) : `${this.#call} ·`
    return [`${activity} ${seconds} s · Esc stops`]
  }
}

function activityOf(reading: LatestRequest['reading'], isSummarizing: boolean): string {
  if (isSummarizing) return 'summarizing earlier turns'
  if (reading === undefined || reading.done >= reading.total) return 'waiting'
  return `reading the prompt, ${Math.round((100 * reading.done) / reading.total)} % ·`
}
