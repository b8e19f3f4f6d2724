import type { ReadStream, WriteStream } from 'node:tty'
import type { Conversation } from 'colloquy/conversation'
import type { Chat } from '../chat/chat.ts'
import { Interactive, type Listener } from '../chat/interactive.ts'
import type { Flags } from '../command.ts'
import { engineKind, engineLabel } from '../connect.ts'
import { ExitCode } from '../exit.ts'
import { painterFor } from '../chat/look.ts'
import { pathsOf } from './paths.ts'
import { paintSpans } from '../terminal/style.ts'
import { wrap } from '../terminal/wrap.ts'
import { defaultModel } from '../defaults.ts'

/** How fast the offline engine writes on a terminal: as fast as one reads along, and slow enough to stop it. */
const offlineWordsPerSecond = 40
/** What a shell gives for a program that lost its terminal. */
const hangup = 129

/** The terminal that a chat runs on. */
export interface ChatTerminal {
  input: ReadStream
  output: WriteStream
}

/** `colloquy chat` on a terminal. The prompt is there before the rest of the program is loaded. */
export async function chat(
  words: readonly string[],
  flags: Flags,
  { input, output }: ChatTerminal = { input: process.stdin, output: process.stdout },
): Promise<number> {
  if (flags.has('plain') || process.env['TERM'] === 'dumb') {
    return (await import('../chat/plain.ts')).plainChat(words, flags)
  }
  const paint = painterFor(flags)
  const surface = new Interactive({ input, output, paint, historyPath: pathsOf().history })
  const session = new Session(surface, words, flags)
  const lines = wrap([{ text: greeting(flags).join('\n'), style: { dim: true } }], surface.columns - 1)
  surface.open(session, [...lines.map((spans) => paintSpans(spans, paint)), ''])
  // Whoever closes the window leaves.
  input.on('end', () => void session.end(hangup))
  const exitCode = await session.run()
  surface.close()
  const last = session.chat?.resumeLine
  if (last !== undefined) output.write(`${last}\n`)
  return exitCode
}

/** The first lines: who answers, and how to find one's way. */
export function greeting(flags: Flags): string[] {
  const kind = engineKind(flags)
  const model = flags.text('model') ?? process.env['COLLOQUY_MODEL'] ?? process.env['ANTHROPIC_MODEL'] ?? defaultModel
  const lines = [
    `colloquy · ${model} · ${engineLabel(kind)}`,
    '/help for commands · Ctrl-C stops a reply · Ctrl-D leaves',
  ]
  if (kind === 'offline' && !flags.has('engine')) {
    lines.push(
      'No API key, so the offline engine answers: a small program, no model. Set ANTHROPIC_API_KEY for Claude.',
    )
  }
  return lines
}

/** Carries lines from the surface to the chat, one after the other. */
class Session implements Listener {
  chat: Chat | undefined
  readonly #surface: Interactive
  readonly #flags: Flags
  readonly #lines: string[]
  readonly #over = Promise.withResolvers<number>()
  #isBusy = true
  isReplying = false

  constructor(surface: Interactive, words: readonly string[], flags: Flags) {
    this.#surface = surface
    this.#flags = flags
    this.#lines = words.length > 0 ? [words.join(' ')] : []
  }

  /** Loads everything, then waits for the end. */
  async run(): Promise<number> {
    const signals = { SIGTERM: ExitCode.terminated, SIGHUP: hangup, SIGINT: ExitCode.interrupted }
    const handlers = Object.entries(signals).map(([name, code]) => {
      const onSignal = (): void => void this.end(code)
      process.on(name, onSignal)
      return () => process.off(name, onSignal)
    })
    try {
      return await this.#run()
    } finally {
      for (const remove of handlers) remove()
    }
  }

  async #run(): Promise<number> {
    try {
      const { openChat } = await import('../chat/open.ts')
      const { chat, conversation } = await openChat(this.#surface, this.#flags, {
        wordsPerSecond: offlineWordsPerSecond,
      })
      this.chat = chat
      await this.#begin(conversation)
    } catch (error) {
      const { failureOf } = await import('../failure.ts')
      const { line, exitCode } = failureOf(error)
      this.#surface.print(this.#surface.paint(`✗ ${line}`, { color: 'red' }))
      return exitCode
    }
    const exitCode = await this.#over.promise
    await this.chat.chats.close()
    return exitCode
  }

  line(text: string): void {
    this.#lines.push(text)
    this.#showQueued()
    void this.#pump()
  }

  stop(): void {
    this.chat?.stop()
    // What was to follow the reply was meant for all of it.
    const held = this.#lines.splice(0)
    if (held.length > 0) this.#surface.prefill([...held, this.#surface.draft].filter((text) => text !== '').join('\n'))
    this.#showQueued()
  }

  leave(): void {
    void this.end(ExitCode.ok)
  }

  thinking(): void {
    const thinking = this.chat?.run?.thinking ?? ''
    if (thinking !== '') this.chat?.say(...thinking.trimEnd().split('\n'))
  }

  escape(): boolean {
    if (this.chat?.editing === undefined) return false
    this.chat.editing = undefined
    this.chat.say('The message stays as it was.')
    this.#surface.prefill('')
    return true
  }

  async #begin(conversation: Conversation | undefined): Promise<void> {
    if (conversation !== undefined) {
      const { showTail } = await import('../chat/actions.ts')
      showTail(this.chat!, conversation)
      this.#surface.print('')
    } else if (this.#flags.has('resume')) this.#lines.unshift('/resume')
    else if (this.#lines.length === 0 && (await this.chat!.chats.list({ limit: 1 })).length === 0) this.#suggest()
    this.#isBusy = false
    void this.#pump()
  }

  /** The first chat of all: what one might say. */
  #suggest(): void {
    const examples = [
      'Explain @README.md in three sentences',
      'What is the difference between a thread and a process?',
      'Count to 20',
    ]
    this.#surface.hint(['For example:', ...examples.map((example) => `  ${example}`)])
  }

  async #pump(): Promise<void> {
    if (this.#isBusy || this.chat === undefined) return
    this.#isBusy = true
    for (let text = this.#lines.shift(); text !== undefined; text = this.#lines.shift()) {
      this.#showQueued()
      this.#surface.printSent(text)
      this.isReplying = true
      await this.chat.line(text)
      this.isReplying = false
      if (this.chat.isOver) return this.leave()
    }
    this.#isBusy = false
  }

  #showQueued(): void {
    this.#surface.queued = this.isReplying ? this.#lines : []
  }

  /** Ends the chat; a reply that is being received is kept first. */
  async end(exitCode: number): Promise<void> {
    if (this.isReplying) {
      this.chat?.stop()
      await this.chat?.run?.done
    }
    this.#over.resolve(exitCode)
  }
}
