import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import type { VirtualTerminal } from './virtual-terminal.ts'

export const enter = '\r'

/** A user at a terminal. */
export class User {
  readonly terminal: VirtualTerminal
  readonly #input = Object.assign(new PassThrough(), { setRawMode: () => {}, isTTY: true })
  readonly left: Promise<number>

  constructor(terminal: VirtualTerminal, begin: (input: ReadStream, output: WriteStream) => Promise<number>) {
    this.terminal = terminal
    const write = (text: string): void => terminal.write(text)
    const size = {
      get columns() {
        return terminal.columns
      },
      get rows() {
        return terminal.rows
      },
    }
    const output = Object.defineProperties(
      Object.assign(new EventEmitter(), { write }),
      Object.getOwnPropertyDescriptors(size),
    )
    // The casts are safe: the chat uses only keys, raw mode, writing and the size.
    this.left = begin(this.#input as unknown as ReadStream, output as unknown as WriteStream)
  }

  /** Types key by key, as fingers do. */
  async type(keys: string): Promise<void> {
    for (const key of keys.match(/\x1b\[20[01]~|\x1b\[\w|[^]/gu) ?? []) this.#input.write(key)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }

  paste(text: string): Promise<void> {
    this.#input.write(`\x1b[200~${text}\x1b[201~`)
    return this.type('')
  }

  /** Waits until the terminal shows the pattern. */
  async sees(pattern: RegExp): Promise<string> {
    const giveUpAt = Date.now() + 120_000
    while (!pattern.test(this.terminal.text)) {
      if (Date.now() > giveUpAt) assert.fail(`Never saw ${pattern} in:\n${this.terminal.text}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return this.terminal.text
  }

  async says(line: string): Promise<void> {
    await this.type(line + enter)
  }
}
