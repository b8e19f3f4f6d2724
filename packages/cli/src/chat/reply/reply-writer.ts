import type { MessageStreamEvent } from 'colloquy/protocol'
import type { Flags } from '../../flags.ts'
import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { painterFor } from '../../terminal/color-support.ts'
import { writeDocument, writeErrorLine, writeJson } from '../../terminal/output.ts'
import { Screen } from '../../terminal/screen.ts'

/** Writes a reply to standard output while it arrives. */
export interface ReplyWriter {
  event(event: MessageStreamEvent): void
  /** Writes a line about a tool to standard error, below the text that has arrived. */
  note(line: string): void
  end(): void
}

/** The time between two frames: 30 a second. */
const frameMs = 33

/**
 * The writer that the flags ask for. Without flags: rendered Markdown on a terminal, else the text as it is. With
 * `--json-schema` and `--extract` nothing is written: only the complete reply has what they ask for.
 */
export async function replyWriter(flags: Flags): Promise<ReplyWriter> {
  const format = flags.text('output') ?? 'text'
  if (format === 'stream-json') return { event: (event) => writeJson(event), note: writeErrorLine, end }
  const isWrittenAtEnd = ['out', 'json-schema', 'extract'].some((name) => flags.has(name))
  if (format === 'json' || isWrittenAtEnd) return { event: end, note: writeErrorLine, end }
  const isPlain = flags.has('plain') || process.env['TERM'] === 'dumb'
  return process.stdout.isTTY && !isPlain ? screenWriter(flags) : textWriter()
}

function end(): void {}

/** Writes the text unchanged, on a terminal without its control characters. */
function textWriter(): ReplyWriter {
  const textOf = textReader()
  let last = '\n'
  return {
    event(event) {
      const text = textOf(event)
      if (text === '') return
      last = text
      writeDocument(text)
    },
    note: writeErrorLine,
    end: () => void (last.endsWith('\n') || writeDocument('\n')),
  }
}

/** Writes rendered Markdown to a terminal. */
async function screenWriter(flags: Flags): Promise<ReplyWriter> {
  // A tenth of the time that `ask` takes to start, which a reply in a pipe does not need.
  const { MarkdownStream } = await import('../../markdown/markdown-stream.ts')
  const screen = new Screen(process.stdout)
  const wrap = flags.text('wrap') as 'word' | 'soft' | 'off' | undefined
  const paint = painterFor({ color: flags.text('color'), theme: flags.text('theme') })
  const newMarkdown = (): MarkdownStream =>
    new MarkdownStream({ columns: screen.columns, paint, ...(wrap && { wrap }) })
  const textOf = textReader()
  let markdown = newMarkdown()
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    clearTimeout(timer)
    timer = undefined
    screen.update({ done: markdown.end() })
  }
  return {
    event(event) {
      const text = textOf(event)
      if (text === '') return
      markdown.push(text)
      timer ??= setTimeout(() => {
        timer = undefined
        screen.update(markdown.frame(screen.rows - 2))
      }, frameMs)
    },
    note(line) {
      end()
      writeErrorLine(line)
      markdown = newMarkdown()
    },
    end,
  }
}

/** Returns the text of each event. A later step of a turn begins a new paragraph. */
function textReader(): (event: MessageStreamEvent) => string {
  let hasText = false
  let gap = ''
  return (event) => {
    if (event.type === 'message_start' && hasText) gap = '\n\n'
    const text = textOf(event)
    if (text === '') return ''
    hasText = true
    const before = gap
    gap = ''
    return before + text
  }
}

function textOf(event: MessageStreamEvent): string {
  return event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''
}
