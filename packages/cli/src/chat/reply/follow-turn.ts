import type { Reply, Turn } from 'colloquy/conversation'
import { APIError, APIUserAbortError, formatUsd, type Message, type MessageStreamEvent } from 'colloquy/protocol'
import { costLine, seconds, stoppedFigures, type TurnFigures } from './cost-line.ts'
import { failureOf } from '../failure.ts'
import { MarkdownStream } from '../markdown/markdown-stream.ts'
import { withoutControls } from '../terminal/style.ts'
import type { Chat } from './chat.ts'

/** Lines of thinking that are shown while the model thinks. */
const thinkingLines = 2

/** One reply, from the question to the line under it. */
export class ReplyRun {
  readonly #chat: Chat
  readonly #startedAt = performance.now()
  readonly #markdown: MarkdownStream
  readonly #done = Promise.withResolvers<void>()
  #turn: Turn | undefined
  #isStopped = false
  #firstTokenAt: number | undefined
  #thinking = ''
  #thinkingSince: number | undefined
  #retry: { line: string; until: number } | undefined

  constructor(chat: Chat) {
    this.#chat = chat
    const wrap = chat.flags.text('wrap') as 'word' | 'soft' | 'off' | undefined
    const { columns, paint } = chat.surface
    this.#markdown = new MarkdownStream({ columns, paint, ...(wrap && { wrap }) })
  }

  /** What the model thought, as far as it told. */
  get thinking(): string {
    return this.#thinking
  }

  /** Resolves when the reply, whole or not, is kept and shown. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  stop(): void {
    this.#isStopped = true
    this.#turn?.abort()
  }

  async follow(begin: () => Turn): Promise<void> {
    const { surface, connection } = this.#chat
    const clock = setInterval(() => surface.touch(), 1000)
    connection.onRetry = ({ retry, maxRetries, delayMs, error }) => {
      const line = `${failureOf(error).sentence} Retry ${retry} of ${maxRetries}`
      this.#retry = { line, until: performance.now() + delayMs }
      surface.touch()
    }
    surface.print('')
    surface.begin(this.#markdown, () => this.#status())
    let outcome: { reply: Reply } | { error: unknown }
    try {
      this.#turn = begin()
      if (this.#isStopped) this.#turn.abort()
      for await (const event of this.#turn.events) this.#event(event)
      outcome = { reply: await this.#turn }
    } catch (error) {
      outcome = { error }
    } finally {
      clearInterval(clock)
      connection.onRetry = undefined
    }
    surface.end()
    this.#noteThinking()
    if ('reply' in outcome) await this.#finished(outcome.reply)
    else this.#failed(outcome.error)
    this.#done.resolve()
  }

  #event(event: MessageStreamEvent): void {
    this.#retry = undefined
    if (event.type === 'content_block_delta') {
      this.#firstTokenAt ??= performance.now()
      const { delta } = event
      if (delta.type === 'text_delta') {
        this.#noteThinking()
        this.#markdown.push(delta.text)
      } else if (delta.type === 'thinking_delta') {
        this.#thinkingSince ??= performance.now()
        this.#thinking += withoutControls(delta.thinking)
      }
    } else if (event.type === 'content_block_start') {
      const { type, name } = event.content_block as { type: string; name?: string }
      if (name !== undefined) this.#chat.say(`⚙ ${type === 'tool_use' ? 'wants to call' : 'calls'} ${name}`)
    }
    this.#chat.surface.touch()
  }

  /** Lines below what has come: that we wait and for how long, or what the model thinks. */
  #status(): string[] {
    const waited = Math.round((performance.now() - this.#startedAt) / 1000)
    if (this.#retry !== undefined) {
      const left = Math.max(0, Math.ceil((this.#retry.until - performance.now()) / 1000))
      return [`${this.#retry.line} in ${left} s · Esc gives up`]
    }
    if (this.#thinkingSince !== undefined) {
      const lines = this.#thinking.trimEnd().split('\n').slice(-thinkingLines)
      return [...lines, `thinking ${waited} s · Esc stops · Ctrl-O shows it`]
    }
    const what = this.#turn?.isSummarizing ? 'summing up earlier turns' : 'waiting'
    return this.#firstTokenAt === undefined ? [`${what} ${waited} s · Esc stops`] : []
  }

  #noteThinking(): void {
    if (this.#thinkingSince === undefined) return
    const spent = seconds(performance.now() - this.#thinkingSince)
    this.#thinkingSince = undefined
    this.#chat.say(`thought for ${spent} · Ctrl-O shows it`, '')
  }

  async #finished({ message, messageId, stopReason, usage, cost, window }: Reply): Promise<void> {
    const chat = this.#chat
    for (const { by, cost: its } of window?.summaries ?? []) {
      const price = its === undefined ? 'no price' : formatUsd(its.picoUsd)
      chat.say(`earlier turns were summed up · ${price}${by === 'api' ? ' of what follows' : ''}`)
    }
    if (stopReason === 'max_tokens') chat.say(`cut off at ${usage.output_tokens} tokens · /continue`)
    else if (stopReason === 'refusal') chat.say(refusalLine(message))
    else if (stopReason === 'model_context_window_exceeded') chat.say('cut off: the window is full · /new')
    else if (message.content.length === 0) chat.say('The reply is empty.')
    if (chat.costStyle === 'off') return
    const line = costLine(this.#figures(message, cost), chat.costStyle)
    const versions = (await chat.conversation?.versions(messageId)) ?? []
    const place = versions.findIndex(({ id }) => id === messageId) + 1
    chat.say('', versions.length > 1 ? `${line} · ‹${place}/${versions.length}›` : line)
  }

  #failed(error: unknown): void {
    const chat = this.#chat
    const message = this.#turn?.message
    const hasArrived = message !== undefined && message.content.length > 0
    if (error instanceof APIUserAbortError) {
      const kept = hasArrived ? `kept · ${stoppedFigures(this.#figures(message, this.#costOf()))}` : 'nothing had come'
      chat.say(`■ stopped · ${kept} · ${hasArrived ? '/continue  ' : ''}/retry  /edit`)
    } else if (hasArrived) chat.fail(error, 'What arrived is kept: /continue, or /retry.')
    else if (error instanceof APIError) chat.fail(error, hintFor(error))
    else chat.fail(error)
  }

  /** What an interrupted reply cost: the conversation has reckoned it when it kept it. */
  #costOf(): { picoUsd: bigint } | undefined {
    const picoUsd = this.#chat.conversation?.messages.at(-1)?.costPicoUsd
    return picoUsd === undefined ? undefined : { picoUsd }
  }

  #figures(message: Message, cost: { picoUsd: bigint; estimated?: boolean } | undefined): TurnFigures {
    const { conversation, connection, current } = this.#chat
    const now = performance.now()
    return {
      model: connection.isOffline ? current.model : message.model,
      usage: conversation?.messages.at(-1)?.usage ?? message.usage,
      cost,
      isEstimated: cost?.estimated === true,
      isLocal: connection.isOffline,
      ms: now - this.#startedAt,
      writingMs: this.#firstTokenAt === undefined ? 0 : now - this.#firstTokenAt,
      chat: conversation?.cost ?? { picoUsd: 0n, estimated: false, unpriced: 0 },
    }
  }
}

/** What helps after a failure that left nothing but the question. */
function hintFor(error: unknown): string {
  const { type, line } = failureOf(error)
  if (type === 'authentication_error')
    return 'Your message is kept. Set another ANTHROPIC_API_KEY and resume, or /quit.'
  if (type === 'invalid_request_error' && /too long/i.test(line))
    return 'Your message is kept. /undo takes it back; /new begins anew.'
  if (type === 'not_found_error') return 'Your message is kept. /model changes the model, /retry asks again.'
  return 'Your message is kept: /retry asks again, /undo takes it back.'
}

function refusalLine({ stop_details: details }: Message): string {
  const category = details?.category ? ` (${details.category})` : ''
  return `refused${category}: ${details?.explanation ?? 'the model declined to answer'} · /edit  /undo`
}
