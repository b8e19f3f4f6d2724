import type { Contestant, HistoryMessage } from '../contestant.ts'
import { maxTokens, model, question } from '../contestant.ts'

/**
 * Sends a request for a hand-written loop. Passes each chunk of the body to the callback, or returns the whole body
 * without one.
 */
export interface Ask {
  stream(body: string, receive: (text: string) => void): Promise<void>
  whole(body: string): Promise<string>
  /** Opens a stream, and resolves with its connection after three deltas. */
  open(body: string): Promise<object>
}

/** The loop of a program without a client: no retries, no errors, no timeouts; LF only, one data line per event. */
export function handLoop(ask: Ask): Contestant {
  return {
    async iterate() {
      let characters = 0
      await eachDelta(ask, {}, ({ text }) => (characters += text?.length ?? 0))
      return characters
    },
    async finalMessage() {
      let whole = ''
      await eachDelta(ask, {}, ({ text = '' }) => (whole += text))
      return whole.length
    },
    async toolInput() {
      let characters = 0
      let whole = ''
      await eachDelta(ask, { tools: [] }, ({ partial_json: piece = '' }) => {
        characters += piece.length
        whole += piece
      })
      return { characters, rows: (JSON.parse(whole) as { rows: unknown[] }).rows.length }
    },
    async iterateToolInput() {
      let characters = 0
      await eachDelta(ask, { tools: [] }, ({ partial_json }) => (characters += partial_json?.length ?? 0))
      return characters
    },
    async create(messages) {
      const { content } = JSON.parse(await ask.whole(bodyOf({ messages }))) as { content: { text: string }[] }
      return content[0]!.text.length
    },
    async open(messages) {
      return ask.open(bodyOf({ messages, stream: true }))
    },
  }
}

interface Delta {
  text?: string
  partial_json?: string
}

async function eachDelta(ask: Ask, params: object, take: (delta: Delta) => void): Promise<void> {
  let rest = ''
  await ask.stream(bodyOf({ ...params, messages: question, stream: true }), (text) => {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const event = JSON.parse(part.slice(part.indexOf('data: ') + 6)) as { type: string; delta: Delta }
      if (event.type === 'content_block_delta') take(event.delta)
    }
  })
}

function bodyOf(params: { messages: readonly HistoryMessage[]; [name: string]: unknown }): string {
  return JSON.stringify({ model, max_tokens: maxTokens, ...params })
}

/** The headers that the API requires. */
export const headers = { 'content-type': 'application/json', 'x-api-key': 'key', 'anthropic-version': '2026-10-21' }

export function hasThreeDeltas(text: string): boolean {
  return text.split('event: content_block_delta').length > 3
}
