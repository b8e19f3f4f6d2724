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

export interface TurnDisplay {
  surface: Surface
  markdown: MarkdownStream
  progress: ReplyProgress
  /** The connection's last request, for the status lines. */
  latest: Readonly<LatestRequest>
}

/** Shows the reply of a turn while it arrives. Never throws. */
export async function followTurn(turn: Turn, display: TurnDisplay): Promise<TurnEnd> {
  const { surface, markdown, progress, latest } = display
  // The status counts seconds.
  const clock = setInterval(() => surface.touch(), 1000)
  surface.print('')
  surface.begin(markdown, () => progress.status(latest, turn.isSummarizing))
  try {
    for await (const event of turn.events) showEvent(event, display)
    return { kind: 'finished', reply: await turn }
  } catch (error) {
    return { kind: 'failed', error }
  } finally {
    clearInterval(clock)
    surface.end()
    showThinkingTime(display)
  }
}

function showEvent(event: MessageStreamEvent, display: TurnDisplay): void {
  const { surface, markdown, progress } = display
  progress.add(event)
  if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
    showThinkingTime(display)
    markdown.push(event.delta.text)
  } else if (event.type === 'content_block_start') {
    const { type, name } = event.content_block as { type: string; name?: string }
    if (name !== undefined) showNotes(surface, [`⚙ ${type === 'tool_use' ? 'wants to call' : 'calls'} ${name}`])
  }
  surface.touch()
}

function showThinkingTime({ surface, progress }: TurnDisplay): void {
  const ms = progress.endThinking()
  if (ms !== undefined) showNotes(surface, [`thought for ${durationText(ms)} · Ctrl-O shows it`, ''])
}
