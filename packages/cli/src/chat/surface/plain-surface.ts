import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import { writeLine } from '../../terminal/output.ts'
import { plainPainter, type Painter } from '../../terminal/style.ts'
import type { Answer } from './question.ts'
import type { Surface } from './surface.ts'

/** Asks for a line. Undefined if the input ends or the signal aborts. */
type ReadLine = (question: string, signal: AbortSignal | undefined) => Promise<string | undefined>

/** Plain lines for screen readers and simple terminals: only whole lines, and nothing is painted over. */
export class PlainSurface implements Surface {
  readonly paint: Painter = plainPainter
  #reply: MarkdownStream | undefined
  #words = 0
  readonly #readLine: ReadLine

  constructor(readLine: ReadLine) {
    this.#readLine = readLine
  }

  get columns(): number {
    return process.stdout.columns || 80
  }

  print(...lines: string[]): void {
    for (const line of lines.flatMap((text) => text.split('\n'))) writeLine(line)
  }

  begin(reply: MarkdownStream): void {
    this.#reply = reply
    this.#words = 0
    this.print('Reply:')
  }

  touch(): void {
    // Only finished lines: one that has been read aloud cannot be changed.
    this.#show(this.#reply?.frame(Number.MAX_SAFE_INTEGER).done ?? [])
  }

  end(): void {
    this.#show(this.#reply?.end() ?? [])
    this.#reply = undefined
    if (this.#words > 0) this.print(`End of reply, ${this.#words} words.`)
  }

  prefill(text: string): void {
    this.print('The text was:', ...text.split('\n'))
  }

  async copy(): Promise<void> {
    this.print('Copying needs the chat without --plain; /save FILE writes to a file.')
  }

  async ask(text: string, answers: readonly Answer[], signal: AbortSignal | undefined): Promise<string | undefined> {
    const keys = answers.map(({ key, text: meaning }) => `${key} = ${meaning}`).join(', ')
    for (;;) {
      const line = await this.#readLine(`${text} (${keys}) `, signal)
      const answer = line?.trim().toLowerCase()
      if (answer === undefined || answers.some(({ key }) => key === answer)) return answer
    }
  }

  askText(text: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#readLine(`${text} `, signal)
  }

  setLook(): void {
    // There are neither colours nor an editor.
  }

  #show(lines: readonly string[]): void {
    this.#words += lines
      .join(' ')
      .split(/\s+/)
      .filter((word) => word !== '').length
    this.print(...lines)
  }
}
