import { reduce, type EditorEvent } from '../../editor/reduce.ts'
import { newEditor, type EditorState, type Intent } from '../../editor/state.ts'
import { editorView, sentLines, textColumns, type EditorView } from '../../editor/editor-view.ts'
import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import type { Screen } from '../../terminal/screen.ts'
import type { Painter } from '../../terminal/style.ts'
import { Picker, type PickSource } from './picker.ts'
import { type Answer, Question, TextQuestion } from './question.ts'
import { wrap } from '../../terminal/wrap.ts'
import { cutTo } from '../../terminal/width.ts'

/** The time between two frames: 30 a second. More are not visible, and slow down a remote terminal. */
const frameMs = 33

/** The screen of a chat: finished lines, the reply in flight, and the editor below them. */
export class ChatView {
  readonly screen: Screen
  readonly paint: Painter
  editor: EditorState
  /** Lines below the editor, shown until the next key. */
  hint: string[] = []
  /** The reply in flight. */
  reply: MarkdownStream | undefined
  /** Returns the lines below the reply in flight. */
  status: () => string[] = () => []
  /** Neither editor nor reply are painted: another program has the terminal, or this one is leaving. */
  isPaused = false
  /** Lines that are sent after the reply. */
  queued: readonly string[] = []
  /** A list or a question that is shown in place of the editor. */
  picker: Picker | Question | TextQuestion | undefined
  /** A download in progress. */
  progress = ''
  placeholder = 'Ask anything · / commands · @ file'
  #timer: NodeJS.Timeout | undefined
  #isStale = false

  constructor(screen: Screen, paint: Painter, history: readonly string[]) {
    this.screen = screen
    this.paint = paint
    this.editor = newEditor(history, textColumns(screen.columns))
  }

  /** Passes a key or another event to the editor. Returns what it asks for. */
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

  /** Prints a line that was sent. */
  printSent(text: string): void {
    this.print(...sentLines(text, this.paint))
  }

  /** Adds a sent line to the history, unless it begins with a space. */
  remember(text: string): void {
    if (text.startsWith(' ')) return
    this.editor = { ...this.editor, history: [...this.editor.history.filter((one) => one !== text), text] }
  }

  /** Shows a list in place of the editor until a row is picked. */
  pick(source: PickSource): Promise<string | undefined> {
    return this.#picked(new Picker(source, () => this.touch()))
  }

  /** Shows a question in place of the editor until a letter and Enter answer it, or the signal aborts. */
  ask(text: string, answers: readonly Answer[], signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#picked(new Question(text, answers, () => this.touch()), signal)
  }

  /** As `ask()`, until a line of text and Enter answer it. */
  askText(text: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#picked(new TextQuestion(text, () => this.touch()), signal)
  }

  /** Starts to show a reply. */
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

  /** Tells that something changed. Paints it now, or with the next frame if the last one was less than `frameMs` ago. */
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

  async #picked(picker: Picker | Question | TextQuestion, signal?: AbortSignal): Promise<string | undefined> {
    signal?.addEventListener('abort', () => picker.cancel(), { once: true })
    this.picker = picker
    this.touch()
    const picked = await picker.picked
    this.picker = undefined
    this.touch()
    return picked
  }

  #update(lines: readonly string[]): void {
    if (this.isPaused) return void (lines.length > 0 && this.screen.update({ done: lines }))
    const { rows, columns } = this.screen
    if (this.picker !== undefined) {
      const { lines: live, column } = this.picker.view(columns, rows, this.paint)
      return this.screen.update({ done: lines, live, cursor: { line: 0, column } })
    }
    const isReplying = this.reply !== undefined
    const showsEditor = !isReplying || this.editor.text !== ''
    const status = this.#small([
      ...this.status(),
      ...(this.progress === '' ? [] : [this.progress]),
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
    const wrapped = this.hint.flatMap((line) => wrap([{ text: line, style: {} }], columns - 1))
    const below = this.#small(wrapped.map((spans) => spans.map(({ text }) => text).join(''))).slice(
      0,
      Math.max(1, rows - 4),
    )
    return editorView(this.editor, {
      columns,
      rows: Math.max(1, rows - 3 - below.length),
      paint: this.paint,
      placeholder: this.placeholder,
      below,
    })
  }

  /** Dim lines of the program's own, cut to the width. */
  #small(lines: readonly string[]): string[] {
    return lines.map((line) => this.paint(cutTo(line, this.screen.columns - 1), { dim: true }))
  }
}
