import type { Conversation } from 'colloquy/conversation'
import { bandFor, findModel, formatUsd, fromUsd, priceAt, type MessageContentParam } from 'colloquy/protocol'
import type { Connection } from '../connect.ts'

/** A message with a more expensive prompt is sent only after a confirmation. US dollars. */
const warnUsd = 0.5

/**
 * The estimated price of the next prompt if it exceeds `warnUsd`; otherwise, or if the price is unknown, undefined. Assumes
 * that tokens cached by the last prompt are read from the cache.
 */
export async function priceIfExpensive(
  chat: Conversation,
  content: MessageContentParam,
  { isOffline }: Connection,
): Promise<string | undefined> {
  const entry = findModel(chat.settings.model)
  const price = entry && priceAt(entry, new Date())
  if (isOffline || price === undefined) return undefined
  const { countTokens } = await import('colloquy/engines')
  const usage = chat.messages.findLast(({ role }) => role === 'assistant')?.usage
  const cached = (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0)
  const uncached = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0)
  const added = countTokens(typeof content === 'string' ? content : JSON.stringify(content))
  const band = bandFor(price, cached + uncached + added)
  const picoUsd = BigInt(cached) * band.cacheRead + BigInt(uncached + added) * band.input
  return picoUsd > fromUsd(warnUsd) ? formatUsd(picoUsd) : undefined
}
