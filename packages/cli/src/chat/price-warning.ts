import type { Conversation, TurnOptions } from 'colloquy/conversation'
import { bandFor, findModel, formatUsd, fromUsd, priceAt, type MessageContentParam } from 'colloquy/protocol'
import type { Flags } from '../command.ts'
import type { Connection } from '../connect.ts'

/** What `--max-cost` asks of each turn: the reply is kept short enough for the chat to stay below it. */
export function limitOf(flags: Flags, { isOffline }: Connection): TurnOptions {
  const usd = flags.number('max-cost')
  return usd === undefined || isOffline ? {} : { budget: { usd, fit: true } }
}

/** A message that costs more is sent only when it is sent again. US dollars. */
const warnUsd = 0.5

/**
 * What the prompt of the next message will cost about, where that is a lot; undefined where it is not, or not known. What the
 * last prompt had is counted as read from the cache if that one used it.
 */
export async function expensive(
  chat: Conversation,
  content: MessageContentParam,
  { isOffline }: Connection,
): Promise<string | undefined> {
  const { model } = chat.settings
  const entry = findModel(model)
  const price = entry && priceAt(entry, new Date())
  if (isOffline || price === undefined) return undefined
  const { countTokens } = await import('colloquy/engines')
  const usage = chat.messages.findLast(({ role }) => role === 'assistant')?.usage
  const cached = (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0)
  const before = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0)
  const added = countTokens(typeof content === 'string' ? content : JSON.stringify(content))
  const band = bandFor(price, cached + before + added)
  const picoUsd = BigInt(cached) * band.cacheRead + BigInt(before + added) * band.input
  return picoUsd > fromUsd(warnUsd) ? formatUsd(picoUsd) : undefined
}
