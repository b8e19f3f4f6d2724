import type { Conversation } from 'colloquy/conversation'
import { bandFor, findModel, formatUsd, priceAt, type MessageContentParam } from 'colloquy/protocol'
import type { Connection } from './connect.ts'
import { ExitCode, ExitError } from './exit.ts'

const picoUsdPerUsd = 1e12

/**
 * How long the reply may be for the chat to stay below the limit. Throws `ExitError` where the prompt alone reaches it. The
 * prompt is counted as if nothing of it were cached, so that the limit holds whatever the cache does.
 */
export async function affordable(
  chat: Conversation,
  content: MessageContentParam,
  { engine, isOffline }: Connection,
  maxUsd: number | undefined,
): Promise<{ max_tokens?: number }> {
  if (maxUsd === undefined || isOffline) return {}
  const { model, max_tokens: maxTokens } = chat.settings
  const entry = findModel(model)
  const price = entry && priceAt(entry, new Date())
  if (price === undefined) {
    throw new ExitError(ExitCode.budget, `Cannot hold --max-cost: no price for ${model}`)
  }
  const { messages, system, tools } = chat.preview(content)
  const counted = await engine.countTokens?.({ model, messages, ...(system && { system }), ...(tools && { tools }) })
  const promptTokens = counted?.input_tokens ?? 0
  const band = bandFor(price, promptTokens)
  const left = BigInt(Math.round(maxUsd * picoUsdPerUsd)) - chat.cost.picoUsd - BigInt(promptTokens) * band.cacheWrite1h
  const outputTokens = left > 0n ? Number(left / band.output) : 0
  if (outputTokens < 1) {
    const spent = chat.cost.picoUsd > 0n ? `, ${formatUsd(chat.cost.picoUsd)} of it spent` : ''
    throw new ExitError(
      ExitCode.budget,
      `Not sent: the prompt of ${promptTokens} tokens reaches the limit of $${maxUsd}${spent}.`,
    )
  }
  return { max_tokens: Math.min(maxTokens, outputTokens) }
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
  return picoUsd > BigInt(warnUsd * picoUsdPerUsd) ? formatUsd(picoUsd) : undefined
}
