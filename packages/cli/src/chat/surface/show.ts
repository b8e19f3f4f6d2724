import type { ConversationMessage } from 'colloquy/conversation'
import { describeError } from '../../errors/describe-error.ts'
import { sentLines } from '../../editor/editor-view.ts'
import { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { paintSpans, type Style } from '../../terminal/style.ts'
import { wrap } from '../../terminal/wrap.ts'
import { missingReason, textOf } from '../content/transcript.ts'
import type { Surface } from './surface.ts'

/** Shows dim, wrapped lines of the program's own. */
export function showNotes(surface: Surface, lines: readonly string[]): void {
  surface.print(...lines.flatMap((line) => wrappedLines(surface, line, { dim: true })))
}

/** Shows an error in one sentence. */
export function showError(surface: Surface, error: unknown): void {
  surface.print(...wrappedLines(surface, `✗ ${describeError(error).line}`, { color: 'red' }))
}

/** Shows a message as it looked when it was sent or received. */
export function showMessage(surface: Surface, message: ConversationMessage): void {
  surface.print('', ...messageLines(surface, message))
}

function messageLines({ paint, columns }: Surface, message: ConversationMessage): string[] {
  const missing = missingReason(message)
  if (missing !== undefined) return [paint(`✗ ${missing}`, { color: 'red' })]
  const text = textOf(message)
  if (message.role === 'user') return sentLines(text, paint)
  const markdown = new MarkdownStream({ columns, paint })
  markdown.push(text)
  const lines = markdown.end()
  return message.state === 'interrupted' ? [...lines, paint('■ interrupted · /continue', { dim: true })] : lines
}

/** Lines at most as wide as the surface. Each is indented as the first one. */
function wrappedLines({ paint, columns }: Surface, text: string, style: Style): string[] {
  const [indent = ''] = /^ */.exec(text) ?? []
  const lines = wrap([{ text: text.slice(indent.length), style }], columns - 1 - indent.length)
  return lines.map((spans) => indent + paintSpans(spans, paint))
}
