import type { ContentBlockParam, MessageCreateParams, MessageParam } from 'colloquy/protocol'

/** The beginning of a signature by an engine of this program that stands before another model. */
const foreignSignature = btoa('colloquy:')

/**
 * The request without thinking of models that do not sign it. A chat that was begun with another engine can then be continued
 * with Claude, which refuses a signature that it did not make.
 */
export function withoutForeignThinking(params: MessageCreateParams): MessageCreateParams {
  if (!params.messages.some(hasForeign)) return params
  const messages = params.messages.map((message) =>
    hasForeign(message) ? { ...message, content: (message.content as ContentBlockParam[]).filter(isOwn) } : message,
  )
  return { ...params, messages: messages.filter(({ content }) => content.length > 0) }
}

function hasForeign({ content }: MessageParam): boolean {
  return typeof content !== 'string' && !content.every(isOwn)
}

function isOwn(block: ContentBlockParam): boolean {
  return block.type !== 'thinking' || !block.signature.startsWith(foreignSignature)
}
