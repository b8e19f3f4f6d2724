import { createInterface, type Interface } from 'node:readline'
import { greeting } from '../commands/chat.ts'
import type { Flags } from '../command.ts'
import { ExitCode } from '../exit.ts'
import type { MarkdownStream } from '../markdown/markdown-stream.ts'
import { plainPainter } from '../terminal/style.ts'
import { showTail } from './actions.ts'
import { openChat } from './open.ts'
import type { Surface } from './surface.ts'

/** A chat for screen readers and simple terminals: lines go in, whole lines come out, and nothing is painted over. */
export async function plainChat(words: readonly string[], flags: Flags): Promise<number> {
  const surface = new PlainSurface()
  surface.print(...greeting(flags))
  const { chat, conversation } = await openChat(surface, flags, { wordsPerSecond: Infinity })
  if (conversation !== undefined) showTail(chat, conversation)
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  surface.lines = lines
  lines.on('SIGINT', () => (surface.isReplying ? chat.stop() : lines.close()))
  process.on('SIGTERM', () => lines.close())
  if (words.length > 0) await chat.line(words.join(' '))
  else if (flags.has('resume') && flags.text('resume') === undefined) await chat.line('/resume')
  lines.prompt()
  for await (const line of lines) {
    if (line.trim() !== '') await chat.line(line)
    if (chat.isOver) break
    lines.prompt()
  }
  lines.close()
  await chat.chats.close()
  if (chat.resumeLine !== undefined) surface.print('', chat.resumeLine)
  return ExitCode.ok
}

class PlainSurface implements Surface {
  readonly paint = plainPainter
  lines: Interface | undefined
  #reply: MarkdownStream | undefined
  #words = 0

  get columns(): number {
    return process.stdout.columns || 80
  }

  get isReplying(): boolean {
    return this.#reply !== undefined
  }

  print(...lines: string[]): void {
    for (const line of lines) process.stdout.write(`${line}\n`)
  }

  begin(reply: MarkdownStream): void {
    this.#reply = reply
    this.#words = 0
    this.print('Reply:')
  }

  touch(): void {
    // Only what is finished: a line that is read aloud cannot be taken back.
    this.#show(this.#reply?.frame(Number.MAX_SAFE_INTEGER).done ?? [])
  }

  end(): void {
    this.#show(this.#reply?.end() ?? [])
    this.#reply = undefined
    this.print(`End of reply, ${this.#words} words.`)
  }

  prefill(text: string): void {
    this.print('The text was:', ...text.split('\n'))
  }

  async copy(): Promise<void> {
    this.print('Copying needs the chat without --plain; /save FILE writes to a file.')
  }

  #show(lines: readonly string[]): void {
    this.#words += lines
      .join(' ')
      .split(/\s+/)
      .filter((word) => word !== '').length
    this.print(...lines)
  }
}
