import { reduce, type EditorEvent } from '../editor/reduce.ts'
import { newEditor, type EditorState, type Intent } from '../editor/state.ts'
import { editorView, sentLines, textColumns } from '../editor/view.ts'
import type { MarkdownStream } from '../markdown/markdown-stream.ts'
import type { Screen } from '../terminal/screen.ts'
import type { Painter } from '../terminal/style.ts'
import { cutTo } from '../terminal/width.ts'

/** At most thirty frames a second: more cannot be seen, and costs on a slow line. */
const frameMs = 33

export interface ViewSettings {
  /** Whole lines only: of a reply that is being written nothing is shown that may change. */
  isPlain?: boolean
  /** What was typed before. */
  history?: readonly string[]
}

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
  placeholder = 'Ask anything · / commands · @ file'
  readonly #isPlain: boolean
  #timer: NodeJS.Timeout | undefined
  #plainLines: string[] = []

  constructor(screen: Screen, paint: Painter, { isPlain = false, history = [] }: ViewSettings = {}) {
    this.screen = screen
    this.paint = paint
    this.editor = newEditor(history, textColumns(screen.columns))
    this.#isPlain = isPlain
  }

  /** Takes a key or another event, and returns what is to be done about it. */
  edit(event: EditorEvent): Intent | undefined {
    this.hint = []
    this.editor = reduce(this.editor, event)
    this.soon()
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
    this.#update([...this.#plainLines.splice(0), ...lines])
  }

  /** Paints with the next frame, or at once where the last one is long enough ago. */
  soon(): void {
    if (this.#timer !== undefined) return
    this.draw()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#isStale) this.draw()
    }, frameMs)
  }

  #isStale = false

  /** Says that something changed; it is painted within a frame. */
  touch(): void {
    this.#isStale = true
    if (this.#timer === undefined) this.soon()
  }

  draw(): void {
    this.#isStale = false
    this.#update([])
  }

  resized(): void {
    this.editor = reduce(this.editor, { name: 'columns', columns: textColumns(this.screen.columns) })
    this.draw()
  }

  #update(lines: readonly string[]): void {
    if (this.isPaused) return void (lines.length > 0 && this.screen.update({ done: lines }))
    const { columns, rows } = this.screen
    const status = this.status().map((line) => cutTo(line, columns - 1))
    const isReplying = this.reply !== undefined
    const showsEditor = !isReplying || this.editor.text !== ''
    const { paint, placeholder } = this
    const below = this.hint.map((line) => cutTo(line, columns - 1))
    const editor = editorView(this.editor, {
      columns,
      rows: Math.max(1, rows - 3 - below.length),
      paint,
      placeholder,
      below,
    })
    const room = rows - 2 - status.length - (showsEditor && isReplying ? editor.lines.length + 1 : 0)
    const { done, live } = this.reply?.frame(Math.max(1, room)) ?? { done: [], live: [] }
    const above = this.#isPlain ? [] : [...live, ...status]
    const gap = showsEditor && above.length > 0 ? [''] : []
    const cursor = { line: above.length + gap.length + editor.cursor.line, column: editor.cursor.column }
    this.screen.update({
      done: [...lines, ...done],
      live: [...above, ...gap, ...(showsEditor ? editor.lines : [])],
      cursor: showsEditor ? cursor : undefined,
    })
  }
}
