import type { Conversation } from 'colloquy/conversation'
import {
  bandFor,
  findModel,
  formatUsd,
  fromUsd,
  lastCallIn,
  priceAt,
  type MessageContentParam,
} from 'colloquy/protocol'
import { change, prefill, say, type ChatContext, type ChatState, type Effect } from './chat-state.ts'

/** A turn that is about to run. */
export interface PlannedTurn {
  /** The line that asks for it, as it was typed. */
  line: string
  conversation: Conversation
  /** The content to send in addition to the history. */
  content?: MessageContentParam
  /** The model. Default: that of the conversation. */
  model?: string | undefined
}

/**
 * The effects that keep an expensive turn from running until the same line is sent a second time. None if the prompt costs
 * at most `warnUsd`, if its price is unknown, or if the line was sent before.
 */
export async function costWarning(turn: PlannedTurn, state: ChatState, context: ChatContext): Promise<Effect[]> {
  const { line, conversation } = turn
  if (context.connection.isLocal || state.unconfirmedLine === line) return []
  const picoUsd = await promptPrice(turn)
  if (picoUsd === undefined || picoUsd <= fromUsd(context.warnUsd)) return []
  return [
    change({ conversation, unconfirmedLine: line }),
    say(`This message costs about ${formatUsd(picoUsd)}. Press Enter to send it anyway.`),
    prefill(line),
  ]
}

/** The estimated price of a prompt. Assumes that tokens cached by the last prompt are read from the cache, if the model is the same. */
async function promptPrice({ conversation, content, model }: PlannedTurn): Promise<bigint | undefined> {
  const { settings, messages } = conversation
  const entry = findModel(model ?? settings.model)
  const price = entry && priceAt(entry, new Date())
  if (price === undefined) return undefined
  const { countPromptTokens } = await import('colloquy/engines')
  const last = messages.findLast(({ role }) => role === 'assistant')
  const usage = last?.usage && lastCallIn(last.usage)
  const prompt = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0)
  const marked = (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0)
  const cached = model === undefined || model === settings.model ? marked : 0
  const added =
    content === undefined ? 0 : countPromptTokens({ model: settings.model, messages: [{ role: 'user', content }] })
  const uncached = prompt + marked - cached + added
  const band = bandFor(price, cached + uncached)
  return BigInt(cached) * band.cacheRead + BigInt(uncached) * band.input
}
