import type { ReadStream, WriteStream } from 'node:tty'
import { appendHistory, readHistory } from './history.ts'
import { expanded, type Intent } from '../../editor/state.ts'
import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { copyToClipboard } from '../../terminal/input/clipboard.ts'
import { imageFromClipboard } from '../../terminal/input/clipboard-image.ts'
import { editExternally } from '../../terminal/input/external-editor.ts'
import type { Key } from '../../terminal/input/keys.ts'
import { SecondPress } from '../../terminal/input/second-press.ts'
import { Screen } from '../../terminal/screen.ts'
import type { Painter } from '../../terminal/style.ts'
import { suspend } from '../../terminal/suspend.ts'
import { Terminal } from '../../terminal/terminal.ts'
import { ChatView } from './chat-view.ts'
import type { ListMentions } from './completion.ts'
import { mentionsOfDropped } from './dropped-files.ts'
import type { Look, Surface } from './surface.ts'

/** Something the user did that concerns the chat and not only the editor. */
export type UserInput =
  /** A line was sent. */
  | { kind: 'line'; text: string }
  /** Ctrl-C or Esc while busy. */
  | { kind: 'stop' }
  /** Esc while idle. `isSecond`: the second within a second, on an empty line. */
  | { kind: 'escape'; isSecond: boolean }
  /** An image was pasted. */
  | { kind: 'image'; bytes: Uint8Array }
  /** Ctrl-O: show the thinking. */
  | { kind: 'thinking' }
  /** Ctrl-D, a second Ctrl-C, a signal, or the end of the input. */
  | { kind: 'leave'; exitCode: number }

export interface TerminalSurfaceOptions {
  input: ReadStream
  output: WriteStream
  paint: Painter
  historyPath: string
  /** Receives what the user does. */
  send: (input: UserInput) => void
}

const shortcuts = [
  'Enter sends · Shift-Enter, Alt-Enter, Ctrl-J or \\ Enter: new line · pasting never sends',
  'Up, Down: history · Ctrl-R searches it · a leading space keeps a line out of it',
  'Ctrl-V attaches an image of the clipboard · @file or dropping a picture attaches a file',
  'Tab completes · Ctrl-G opens $EDITOR · Ctrl-_ undoes, Alt-_ redoes',
  'Ctrl-L clears the window · Ctrl-Z suspends',
  'Ctrl-A E B F, Alt-B F: move · Ctrl-W U K, Alt-D: cut · Ctrl-Y: paste what was cut',
  'Esc or Ctrl-C stops a reply and keeps it · Ctrl-O shows the thinking',
  'Esc Esc: edit your last message · Ctrl-D leaves',
]

/** A chat on a terminal: a line editor at the bottom, everything else in the scrollback above it. */
export class TerminalSurface implements Surface {
  readonly paint: Painter
  readonly #view: ChatView
  readonly #terminal: Terminal
  readonly #output: WriteStream
  readonly #historyPath: string
  readonly #send: (input: UserInput) => void
  /** Lists what Tab completes after `@` beside files. */
  mentions: ListMentions = async () => []
  #isBusy = false
  readonly #interrupts = new SecondPress(2000)
  readonly #escapes = new SecondPress(1000)

  constructor({ input, output, paint, historyPath, send }: TerminalSurfaceOptions) {
    this.paint = paint
    this.#output = output
    this.#historyPath = historyPath
    this.#send = send
    this.#view = new ChatView(new Screen(output), paint, readHistory(historyPath))
    this.#terminal = new Terminal(input, output, (key) => this.#onKey(key))
  }

  get columns(): number {
    return this.#view.screen.columns
  }

  /** Starts to read keys, then shows the first lines and the prompt. */
  open(lines: readonly string[]): void {
    this.#terminal.open()
    this.#output.on('resize', this.#onResize)
    process.on('SIGCONT', this.#onContinue)
    this.#view.print(...lines)
  }

  /** Gives the terminal back, with the cursor below everything. */
  close(): void {
    this.#output.off('resize', this.#onResize)
    process.off('SIGCONT', this.#onContinue)
    this.#pause()
  }

  print(...lines: string[]): void {
    if (lines.length > 0) this.#view.print(...lines.flatMap((line) => line.split('\n')))
  }

  begin(reply: MarkdownStream, status: () => string[]): void {
    this.#view.begin(reply, status)
  }

  touch(): void {
    this.#view.touch()
  }

  end(): void {
    this.#view.end()
  }

  prefill(text: string): void {
    this.#view.edit({ name: 'replace', text })
  }

  readonly copy: Surface['copy'] = (text) => copyToClipboard(text, this.#output)

  setLook({ theme, keys }: Look): void {
    if (theme !== undefined) this.paint.theme = theme
    if (keys !== undefined) this.#view.edit({ name: 'keys', keys })
  }

  readonly pick: NonNullable<Surface['pick']> = (source) => this.#view.pick(source)
  readonly ask: Surface['ask'] = (...question) => this.#view.ask(...question)
  readonly askText: Surface['askText'] = (...question) => this.#view.askText(...question)

  /** Ends `pick()` without a row, and `ask()` without an answer. */
  cancelPick(): void {
    this.#view.picker?.cancel()
  }

  /** The text in the editor. */
  get draft(): string {
    return expanded(this.#view.editor)
  }

  /** Prints a line that was sent. */
  printSent(text: string): void {
    this.#view.printSent(text)
  }

  /** While busy, Ctrl-C and Esc stop instead of editing, and the lines that wait are shown. */
  showBusy(isBusy: boolean, queued: readonly string[]): void {
    this.#isBusy = isBusy
    this.#view.queued = isBusy ? queued : []
    this.#view.touch()
  }

  /** Shows a line above the editor until it is replaced; an empty one is not shown. */
  showProgress(line: string): void {
    this.#view.progress = line
    this.#view.touch()
  }

  /** Shows lines below the editor until the next key. */
  hint(lines: readonly string[]): void {
    this.#view.hint = [...lines]
    this.#view.touch()
  }

  readonly #onResize = (): void => this.#view.resized()

  /** The shell has used the terminal meanwhile, also if another program than this one stopped the chat. */
  readonly #onContinue = (): void => {
    this.#pause()
    this.#resume()
  }

  #onKey(key: Key): void {
    if (this.#view.picker !== undefined) return this.#view.picker.key(key)
    const isInterrupt = key.ctrl && key.name === 'c'
    if (this.#isBusy && (isInterrupt || key.name === 'escape')) return this.#send({ kind: 'stop' })
    if (!isInterrupt) this.#interrupts.forget()
    const dropped = key.name === 'paste' ? mentionsOfDropped(key.text) : undefined
    const intent = this.#view.edit({ ...key, text: dropped ?? key.text })
    if (intent !== undefined) this.#carryOut(intent)
    else if (this.#view.editor.text.startsWith('/')) void this.#completion('suggestCommands')
  }

  #carryOut(intent: Intent): void {
    switch (intent.kind) {
      case 'submit':
        return this.#submit(intent.text)
      case 'interrupt':
        return this.#interrupt()
      case 'leave':
        return this.#send({ kind: 'leave', exitCode: 0 })
      case 'escape':
        return this.#send({ kind: 'escape', isSecond: this.#escapes.press() && this.#view.editor.text === '' })
      case 'complete':
        return void this.#completion('completeWord')
      case 'image':
        return void this.#pasteImage()
      case 'editor':
        return this.#editExternally()
      case 'redraw':
        return this.#redraw()
      case 'suspend':
        return suspend(() => this.#pause(), this.#onContinue)
      case 'shortcuts':
        return this.hint(shortcuts)
      case 'thinking':
        return this.#send({ kind: 'thinking' })
    }
  }

  #submit(text: string): void {
    appendHistory(this.#historyPath, text)
    this.#view.remember(text)
    this.#send({ kind: 'line', text })
  }

  #interrupt(): void {
    if (this.#interrupts.press()) this.#send({ kind: 'leave', exitCode: 0 })
    else this.hint(['Ctrl-C again or Ctrl-D to leave'])
  }

  /** The completions are loaded after the prompt is shown. */
  async #completion(name: 'suggestCommands' | 'completeWord'): Promise<void> {
    await (await import('./completion.ts'))[name](this.#view, this.mentions)
  }

  async #pasteImage(): Promise<void> {
    const found = await imageFromClipboard()
    if ('failure' in found) this.hint([found.failure])
    else this.#send({ kind: 'image', bytes: found.bytes })
  }

  #editExternally(): void {
    this.#pause()
    const result = editExternally(this.draft)
    this.#resume()
    if ('failure' in result) this.hint([result.failure])
    else this.prefill(result.text)
  }

  #pause(): void {
    this.#view.isPaused = true
    this.#view.screen.update({})
    this.#terminal.close()
  }

  #resume(): void {
    this.#terminal.open()
    this.#view.screen.forget()
    this.#view.isPaused = false
    this.#view.draw()
  }

  #redraw(): void {
    this.#view.screen.scrollAway()
    this.#view.draw()
  }
}
