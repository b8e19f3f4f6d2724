import type { Signal } from '@preact/signals'
import type { MessageJson, TurnEndEvent } from 'colloquy/conversation/reader'
import { spokenMoney, wordCount } from '../../format.ts'
import { readReplies } from '../../settings/preferences.ts'
import { contentOf, textOf } from './content-text.ts'
import { endNoteOf } from './ending/end-note.tsx'

const progressEveryMs = 15_000

/** Shows a reply while it arrives, at most once a frame, and tells screen readers how far it is. */
export class Painter {
  readonly #target: Signal<MessageJson | undefined>
  readonly #announce: (text: string) => void
  #reply: MessageJson | undefined
  #frame = 0
  #startedAt = Date.now()
  #announcedAt = Date.now()
  /** The length of the text that was read out. */
  #spokenLength = 0

  constructor(target: Signal<MessageJson | undefined>, announce: (text: string) => void) {
    this.#target = target
    this.#announce = announce
  }

  /** Milliseconds since the step began. */
  get elapsedMs(): number {
    return Date.now() - this.#startedAt
  }

  begin(): void {
    this.#startedAt = Date.now()
    this.#spokenLength = 0
    this.#announce('Reply started')
  }

  show(reply: MessageJson | undefined): void {
    this.#reply = reply
    this.#speak()
    this.#frame ||= requestAnimationFrame(() => this.#paint())
  }

  end({ stopped, error }: TurnEndEvent): void {
    this.#paint()
    const text = this.#text()
    if (error) this.#announce(`The reply failed: ${error.message}`)
    else if (stopped) this.#announce((this.#reply && endNoteOf(this.#reply)) ?? 'Stopped')
    else if (readReplies.peek() === 'sentence') this.#announce(text.slice(this.#spokenLength))
    else this.#announce(`Reply finished, ${wordCount(text)} words, ${spokenMoney(this.#reply?.costUsd)}`)
  }

  #paint(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    if (this.#reply) this.#target.value = { ...this.#reply }
  }

  #speak(): void {
    if (readReplies.peek() === 'sentence') return this.#speakSentence()
    if (readReplies.peek() === 'never' || Date.now() - this.#announcedAt < progressEveryMs) return
    this.#announcedAt = Date.now()
    this.#announce(`Still writing, ${wordCount(this.#text())} words`)
  }

  #speakSentence(): void {
    const rest = this.#text().slice(this.#spokenLength)
    const end = rest.search(/[.!?…]\s/)
    if (end === -1) return
    this.#spokenLength += end + 1
    this.#announce(rest.slice(0, end + 1))
  }

  #text(): string {
    return textOf(this.#reply ? contentOf(this.#reply) : '')
  }
}
