import { reduce, type EditorEvent } from '../editor/reduce.ts'
import { newEditor, type EditorState, type Intent } from '../editor/state.ts'
import { editorView, sentLines, textColumns, type EditorView } from '../editor/view.ts'
import type { MarkdownStream } from '../markdown/markdown-stream.ts'
import type { Screen } from '../terminal/screen.ts'
import type { Painter } from '../terminal/style.ts'
import { cutTo } from '../terminal/width.ts'

/** At most thirty frames a second: more cannot be seen, and costs on a slow line. */
const frameMs = 33

/** What the user sees: what is done above, the reply that is being written, and the line that is being edited. */
export class ChatView {
  readonly screen: Screen
  readonly paint: Painter
  editor: EditorState
  /** Lines under the editor: an answer to a key, gone with the next. */
  hint: string[] = []
  /** The reply that is being written. */
  reply: MarkdownStream | undefined
  /** Shown while nothing of a reply is there yet, and below it. */
  status: () => string[] = () => []
  /** Nothing is edited and nothing is painted: the user is somewhere else, or the program is leaving. */
  isPaused = false
  /** Lines that are sent when the reply is there. */
  queued: readonly string[] = []
  placeholder = 'Ask anything · / commands · @ file'
  #timer: NodeJS.Timeout | undefined
  #isStale = false

  constructor(screen: Screen, paint: Painter, history: readonly string[]) {
    this.screen = screen
    this.paint = paint
    this.editor = newEditor(history, textColumns(screen.columns))
  }

  /** Takes a key or another event, and returns what is to be done about it. */
  edit(event: EditorEvent): Intent | undefined {
    this.hint = []
    this.editor = reduce(this.editor, event)
    this.touch()
    return this.editor.intent
  }

  /** Writes lines that stay. */
  print(...lines: string[]): void {
    this.#update(lines)
  }

  /** What the user has sent, as it stays. */
  printSent(text: string): void {
    this.print(...sentLines(text, this.paint))
  }

  /** Begins to show a reply. */
  begin(reply: MarkdownStream, status: () => string[]): void {
    this.reply = reply
    this.status = status
    this.draw()
  }

  /** Shows the rest of the reply. */
  end(): void {
    const lines = this.reply?.end() ?? []
    this.reply = undefined
    this.status = () => []
    this.#update(lines)
  }

  /** Says that something changed. It is painted at once, or with the next frame where the last was just now. */
  touch(): void {
    this.#isStale = true
    if (this.#timer !== undefined) return
    this.draw()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#isStale) this.touch()
    }, frameMs)
  }

  draw(): void {
    this.#isStale = false
    this.#update([])
  }

  resized(): void {
    this.reply?.resize(this.screen.columns)
    this.editor = reduce(this.editor, { name: 'columns', columns: textColumns(this.screen.columns) })
    this.draw()
  }

  #update(lines: readonly string[]): void {
    if (this.isPaused) return void (lines.length > 0 && this.screen.update({ done: lines }))
    const { rows } = this.screen
    const isReplying = this.reply !== undefined
    const showsEditor = !isReplying || this.editor.text !== ''
    const status = this.#small([
      ...this.status(),
      ...this.queued.map((line) => `queued: ${line.replaceAll('\n', ' ')}`),
    ])
    const editor = this.#editorLines()
    const room = rows - 2 - status.length - (showsEditor && isReplying ? editor.lines.length + 1 : 0)
    const { done, live } = this.reply?.frame(Math.max(1, room)) ?? { done: [], live: [] }
    const above = [...live, ...status]
    if (!showsEditor) return this.screen.update({ done: [...done, ...lines], live: above })
    const gap = above.length > 0 ? [''] : []
    const cursor = { line: above.length + gap.length + editor.cursor.line, column: editor.cursor.column }
    this.screen.update({ done: [...done, ...lines], live: [...above, ...gap, ...editor.lines], cursor })
  }

  #editorLines(): EditorView {
    const { columns, rows } = this.screen
    const below = this.#small(this.hint)
    return editorView(this.editor, {
      columns,
      rows: Math.max(1, rows - 3 - below.length),
      paint: this.paint,
      placeholder: this.placeholder,
      below,
    })
  }

  /** Lines about the program: dim, and never broken. */
  #small(lines: readonly string[]): string[] {
    return lines.map((line) => this.paint(cutTo(line, this.screen.columns - 1), { dim: true }))
  }
}
