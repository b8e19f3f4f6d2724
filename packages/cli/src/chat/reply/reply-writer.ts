import type { MessageStreamEvent } from 'colloquy/protocol'
import type { Flags } from '../../flags.ts'
import { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { painterFor } from '../../terminal/color-support.ts'
import { writeDocument, writeJson } from '../../terminal/output.ts'
import { Screen } from '../../terminal/screen.ts'
import { codeBlocks } from '../content/transcript.ts'

/** Writes a reply to standard output while it arrives. */
export interface ReplyWriter {
  event(event: MessageStreamEvent): void
  end(): void
}

/** The time between two frames: 30 a second. */
const frameMs = 33

/**
 * The writer that the flags ask for. Without flags: rendered Markdown on a terminal, else the text as it is. With
 * `--json-schema` nothing is written: a reply is JSON only when it is complete.
 */
export function replyWriter(flags: Flags): ReplyWriter {
  const format = flags.text('output') ?? 'text'
  if (format === 'stream-json') return { event: (event) => writeJson(event), end }
  if (format === 'json' || flags.has('out') || flags.has('json-schema')) return { event: end, end }
  if (flags.has('extract')) return codeWriter()
  return process.stdout.isTTY && !flags.has('plain') ? screenWriter(flags) : textWriter()
}

function end(): void {}

/** Writes the text unchanged, on a terminal without its control characters. */
function textWriter(): ReplyWriter {
  let last = '\n'
  return {
    event(event) {
      const text = textOf(event)
      if (text === '') return
      last = text
      writeDocument(text)
    },
    end: () => void (last.endsWith('\n') || writeDocument('\n')),
  }
}

/** Writes rendered Markdown to a terminal. */
function screenWriter(flags: Flags): ReplyWriter {
  const screen = new Screen(process.stdout)
  const wrap = flags.text('wrap') as 'word' | 'soft' | 'off' | undefined
  const markdown = new MarkdownStream({
    columns: screen.columns,
    paint: painterFor({ color: flags.text('color'), theme: flags.text('theme') }),
    ...(wrap && { wrap }),
  })
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

/** Writes only the first code block, at the end of the reply. */
function codeWriter(): ReplyWriter {
  let text = ''
  return {
    event: (event) => void (text += textOf(event)),
    end() {
      const code = codeBlocks(text)[0]
      if (code !== undefined) writeDocument(code.endsWith('\n') ? code : `${code}\n`)
    },
  }
}

function textOf(event: MessageStreamEvent): string {
  return event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''
}
