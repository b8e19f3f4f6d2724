import type { Reply, Turn } from 'colloquy/conversation'
import type { MessageStreamEvent } from 'colloquy/protocol'
import type { LatestRequest } from '../../engine/connect.ts'
import { durationText } from '../../format.ts'
import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { showNotes } from '../surface/show.ts'
import type { Surface } from '../surface/surface.ts'
import type { ReplyProgress } from './reply-progress.ts'

/** How a turn ended. */
export type TurnEnd = { kind: 'finished'; reply: Reply } | { kind: 'failed'; error: unknown }

export interface TurnDisplayOptions {
  surface: Surface
  newMarkdown: () => MarkdownStream
  progress: ReplyProgress
  /** The connection's last request, for the status lines. */
  latest: Readonly<LatestRequest>
  /** The names of the tools that the chat runs. It shows their calls itself. */
  tools: readonly string[]
}

/** Shows the reply of a turn while it arrives. */
export class TurnDisplay {
  readonly #options: TurnDisplayOptions
  #markdown: MarkdownStream
  #status: () => string[] = () => []
  /** Whether lines about tools are the last ones. */
  #endsWithNotes = false

  constructor(options: TurnDisplayOptions) {
    this.#options = options
    this.#markdown = options.newMarkdown()
  }

  /** Follows a turn to its end. Never throws. */
  async follow(turn: Turn): Promise<TurnEnd> {
    const { surface, progress, latest } = this.#options
    // The status counts seconds.
    const clock = setInterval(() => surface.touch(), 1000)
    this.#status = () => progress.status(latest, turn.isSummarizing)
    surface.print('')
    surface.begin(this.#markdown, this.#status)
    try {
      for await (const event of turn.events) this.#show(event)
      return { kind: 'finished', reply: await turn }
    } catch (error) {
      return { kind: 'failed', error }
    } finally {
      clearInterval(clock)
      surface.end()
      this.#showThinkingTime()
    }
  }

  /** Shows a line about a tool below the text that has arrived. Text that follows is a new paragraph below the line. */
  note(line: string): void {
    const { surface, newMarkdown } = this.#options
    surface.end()
    this.#showThinkingTime()
    showNotes(surface, this.#endsWithNotes ? [line] : ['', line])
    this.#endsWithNotes = true
    this.#markdown = newMarkdown()
    surface.begin(this.#markdown, this.#status)
  }

  #show(event: MessageStreamEvent): void {
    const { surface, progress, tools } = this.#options
    progress.add(event)
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      this.#showThinkingTime()
      if (this.#endsWithNotes) surface.print('')
      this.#endsWithNotes = false
      this.#markdown.push(event.delta.text)
    } else if (event.type === 'content_block_start') {
      const { type, name } = event.content_block as { type: string; name?: string }
      if (name !== undefined && !tools.includes(name))
        showNotes(surface, [`⚙ ${type === 'tool_use' ? 'wants to call' : 'calls'} ${name}`])
    }
    surface.touch()
  }

  #showThinkingTime(): void {
    const { surface, progress } = this.#options
    const ms = progress.endThinking()
    if (ms !== undefined) showNotes(surface, [`thought for ${durationText(ms)} · Ctrl-O shows it`, ''])
  }
}
