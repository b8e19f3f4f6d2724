import type { MessageStreamEvent } from 'colloquy/protocol'
import type { Flags } from '../command.ts'
import { painterFor } from './look.ts'
import { MarkdownStream } from '../markdown/markdown-stream.ts'
import { Screen } from '../terminal/screen.ts'
import { withoutControls } from '../terminal/style.ts'

/** Writes a reply while it comes. */
export interface ReplyWriter {
  event(event: MessageStreamEvent): void
  end(): void
}

const frameMs = 33

/** Who writes the reply of a one-shot question to standard output, by the flags and by what standard output is. */
export function replyWriter(flags: Flags): ReplyWriter {
  const format = flags.text('output') ?? 'text'
  if (format === 'stream-json')
    return { event: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`), end }
  if (format === 'json' || flags.has('out')) return { event: end, end }
  if (flags.has('extract')) return codeWriter()
  return process.stdout.isTTY && !flags.has('plain') ? screenWriter(flags) : textWriter(process.stdout.isTTY)
}

function end(): void {}

/** The text as it comes, byte for byte; on a terminal without what could drive it. */
function textWriter(isTerminal: boolean): ReplyWriter {
  let last = '\n'
  return {
    event(event) {
      const text = textOf(event)
      if (text === '') return
      last = text
      process.stdout.write(isTerminal ? withoutControls(text) : text)
    },
    end: () => void (last.endsWith('\n') || process.stdout.write('\n')),
  }
}

/** Rendered Markdown, on a terminal. */
function screenWriter(flags: Flags): ReplyWriter {
  const screen = new Screen(process.stdout)
  const wrap = flags.text('wrap') as 'word' | 'soft' | 'off' | undefined
  const markdown = new MarkdownStream({ columns: screen.columns, paint: painterFor(flags), ...(wrap && { wrap }) })
  let timer: NodeJS.Timeout | undefined
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
    end() {
      clearTimeout(timer)
      screen.update({ done: markdown.end() })
    },
  }
}

/** Only the first block of code, when the reply is there. */
function codeWriter(): ReplyWriter {
  let text = ''
  return {
    event: (event) => void (text += textOf(event)),
    end() {
      const code = codeBlocks(text)[0]
      if (code !== undefined) process.stdout.write(code.endsWith('\n') ? code : `${code}\n`)
    },
  }
}

/** The blocks of code in a reply, without their fences. */
export function codeBlocks(text: string): string[] {
  return [...text.matchAll(/^ {0,3}(`{3,}|~{3,})[^\n]*\n([^]*?)(?:^ {0,3}\1|$(?![^]))/gm)].map(
    (match) => match[2] ?? '',
  )
}

function textOf(event: MessageStreamEvent): string {
  return event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''
}
