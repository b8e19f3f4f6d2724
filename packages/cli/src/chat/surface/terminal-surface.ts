import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadStream, WriteStream } from 'node:tty'
import { appendHistory, readHistory } from '../editor/history.ts'
import { expanded } from '../editor/state.ts'
import type { MarkdownStream } from '../markdown/markdown-stream.ts'
import type { Key } from '../terminal/keys.ts'
import { Screen } from '../terminal/screen.ts'
import type { Painter } from '../terminal/style.ts'
import { Terminal } from '../terminal/terminal.ts'
import { commandHints } from './slash.ts'
import type { Surface } from './surface.ts'
import { ChatView } from './view.ts'

/** What the keys lead to. */
export interface Listener {
  /** A line was sent. */
  line(text: string): void
  /** Ctrl-C or Esc while a reply comes. */
  stop(): void
  /** The user leaves. */
  leave(): void
  /** Ctrl-O. */
  thinking(): void
  /** Esc on an empty line; true when it meant something. */
  escape(): boolean
  readonly isReplying: boolean
}

export interface InteractiveOptions {
  input: ReadStream
  output: WriteStream
  paint: Painter
  historyPath: string
}

const shortcuts = [
  'Enter sends · Shift-Enter, Alt-Enter, Ctrl-J or \\ Enter: new line · pasting never sends',
  'Up, Down: history · Ctrl-R searches it · a leading space keeps a line out of it',
  'Tab completes · Ctrl-G opens $EDITOR · Ctrl-_ undoes, Alt-_ redoes',
  'Ctrl-L cleans the window · Ctrl-Z suspends',
  'Ctrl-A E B F, Alt-B F: move · Ctrl-W U K, Alt-D: cut · Ctrl-Y: paste what was cut',
  'Esc or Ctrl-C stops a reply and keeps it · Ctrl-O shows what was thought',
  'Esc Esc: edit your last message · Ctrl-D leaves',
]

/** How long after the first Ctrl-C or Esc the second counts. Milliseconds. */
const againMs = 2000

/** A chat on a terminal: a line editor below, everything else in the scrollback above it. */
export class Interactive implements Surface {
  readonly paint: Painter
  readonly #view: ChatView
  readonly #terminal: Terminal
  readonly #output: WriteStream
  readonly #historyPath: string
  #listener: Listener | undefined
  #interruptedAt = 0
  #escapedAt = 0

  constructor({ input, output, paint, historyPath }: InteractiveOptions) {
    this.paint = paint
    this.#output = output
    this.#historyPath = historyPath
    this.#view = new ChatView(new Screen(output), paint, readHistory(historyPath))
    this.#terminal = new Terminal(input, output, (key) => this.#key(key))
  }

  get columns(): number {
    return this.#view.screen.columns
  }

  /** Takes the keys, then shows the first lines and the prompt: whoever sees the prompt may type. */
  open(listener: Listener, lines: readonly string[]): void {
    this.#listener = listener
    this.#terminal.open()
    this.#output.on('resize', this.#onResize)
    this.#view.print(...lines)
  }

  /** Gives the terminal back, with the cursor below everything. */
  close(): void {
    this.#output.off('resize', this.#onResize)
    this.#pause()
  }

  print(...lines: string[]): void {
    this.#view.print(...lines.flatMap((line) => line.split('\n')))
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

  /** What was typed and not sent. */
  get draft(): string {
    return expanded(this.#view.editor)
  }

  /** Lines that wait to be sent, shown below the reply. */
  set queued(lines: readonly string[]) {
    this.#view.queued = lines
  }

  /** By OSC 52, which also reaches the user's machine from a distant one, and by the system's own program. */
  async copy(text: string): Promise<void> {
    const code = Buffer.from(text).toString('base64')
    if (code.length < 100_000) this.#output.write(`\x1b]52;c;${code}\x07`)
    for (const [program, ...args] of clipboardPrograms()) {
      if (await feed(program ?? '', args, text)) return
    }
  }

  readonly #onResize = (): void => this.#view.resized()

  #key(key: Key): void {
    const listener = this.#listener
    if (listener === undefined) return
    const isStop = key.name === 'escape' || (key.ctrl && key.name === 'c')
    if (isStop && listener.isReplying) return listener.stop()
    if (!(key.ctrl && key.name === 'c')) this.#interruptedAt = 0
    const intent = this.#view.edit(key)
    const hints = this.#view.editor.completions === undefined ? commandHints(this.#view.editor.text) : []
    if (hints.length > 0) {
      this.#view.hint = hints.slice(0, 7).map(({ name, summary }) => `/${name}  ${summary}`)
      this.#view.touch()
    }
    switch (intent?.kind) {
      case 'submit':
        return this.#submit(intent.text)
      case 'interrupt':
        return this.#interrupt()
      case 'leave':
        return listener.leave()
      case 'escape':
        return this.#escape()
      case 'complete':
        return void this.#complete()
      case 'editor':
        return this.#edit()
      case 'redraw':
        return this.#redraw()
      case 'suspend':
        return this.#suspend()
      case 'shortcuts':
        return this.hint(shortcuts)
      case 'thinking':
        return listener.thinking()
    }
  }

  #submit(text: string): void {
    appendHistory(this.#historyPath, text)
    const { editor } = this.#view
    if (!text.startsWith(' '))
      this.#view.editor = { ...editor, history: [...editor.history.filter((one) => one !== text), text] }
    this.#listener?.line(text)
  }

  /** What was sent, as it stays in the scrollback. */
  printSent(text: string): void {
    this.#view.printSent(text)
  }

  #interrupt(): void {
    const now = Date.now()
    if (now - this.#interruptedAt < againMs) return this.#listener?.leave()
    this.#interruptedAt = now
    this.hint(['Ctrl-C again or Ctrl-D to leave'])
  }

  #escape(): void {
    const now = Date.now()
    const isSecond = now - this.#escapedAt < againMs / 2
    this.#escapedAt = isSecond ? 0 : now
    if (this.#listener?.escape() === true) return
    if (isSecond && this.#view.editor.text === '') this.#listener?.line('/edit')
  }

  /** Lines under the editor, until the next key. */
  hint(lines: readonly string[]): void {
    this.#view.hint = [...lines]
    this.#view.touch()
  }

  async #complete(): Promise<void> {
    const { candidatesFor } = await import('./complete.ts')
    const { text, cursor } = this.#view.editor
    const { from, items } = await candidatesFor({ text, cursor })
    // What was typed meanwhile is not what was asked about.
    if (this.#view.editor.text !== text || this.#view.editor.cursor !== cursor) return
    this.#view.edit({ name: 'completions', from, items })
  }

  #edit(): void {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    const file = join(folder, 'message.md')
    try {
      writeFileSync(file, expanded(this.#view.editor), { mode: 0o600 })
      const command = process.env['VISUAL'] || process.env['EDITOR'] || 'vi'
      const { error, status } = this.#elsewhere(() =>
        spawnSync(`${command} "${file}"`, { stdio: 'inherit', shell: true }),
      )
      if (error !== undefined || status !== 0)
        return this.hint([`${command} ended with ${error?.message ?? status}: nothing changed`])
      this.#view.edit({ name: 'replace', text: readFileSync(file, 'utf8').replace(/\n$/, '') })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** Gives the terminal away for a while. */
  #elsewhere<Result>(visit: () => Result): Result {
    this.#pause()
    try {
      return visit()
    } finally {
      this.#resume()
    }
  }

  #suspend(): void {
    if (process.platform === 'win32') return
    this.#pause()
    // Without the keys nothing else would keep the program running until it may go on.
    const hold = setInterval(() => {}, 1000)
    process.once('SIGCONT', () => {
      clearInterval(hold)
      this.#resume()
    })
    // The whole job stops, as by the terminal's own Ctrl-Z: whoever started us waits in the same group.
    process.kill(0, 'SIGTSTP')
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

  /** A clean window; what was in it goes to the scrollback, where it can be read. */
  #redraw(): void {
    const { screen } = this.#view
    screen.update({})
    this.#output.write(`${'\r\n'.repeat(screen.rows)}\x1b[H`)
    screen.forget()
    this.#view.draw()
  }
}

function clipboardPrograms(): string[][] {
  if (process.platform === 'darwin') return [['pbcopy']]
  if (process.platform === 'win32') return [['clip.exe']]
  if (process.env['WAYLAND_DISPLAY']) return [['wl-copy']]
  return process.env['DISPLAY']
    ? [
        ['xclip', '-selection', 'clipboard'],
        ['xsel', '-ib'],
      ]
    : []
}

function feed(program: string, args: readonly string[], text: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => resolve(false))
  child.on('close', (code) => resolve(code === 0))
  child.stdin.on('error', () => {})
  child.stdin.end(text)
  return promise
}
