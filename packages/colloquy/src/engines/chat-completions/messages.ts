import { isServerToolBlock, isThinking } from '../../protocol/sendable.ts'
import type {
  ContentBlockParam,
  MessageContentParam,
  MessageCreateParams,
  ToolResultBlockParam,
} from '../../protocol/types/params.ts'
import { callIdParts } from '../call-id.ts'
import { partsOf } from './content.ts'
import type { ChatCompletionsOptions, Dialect, Source } from './options.ts'
import type { ChatMessage, ChatPart, ChatToolCall } from './wire.ts'

/**
 * The messages of a request: first the system prompt, then the history. System messages within the history become part of the
 * user's message, because many chat templates accept a system message at the beginning only. Messages of a user that follow
 * each other become one, because many templates require that the roles alternate.
 */
export function chatMessages(
  { system, messages }: MessageCreateParams,
  options: ChatCompletionsOptions,
  dialect: Dialect,
): ChatMessage[] {
  const chat: ChatMessage[] = []
  const prompt = system === undefined ? '' : textOf(blocksOf(system))
  if (prompt !== '') chat.push({ role: 'system', content: prompt })
  for (const [index, { role, content }] of messages.entries()) {
    const source = { path: `messages.${index}.content`, options, dialect }
    const blocks = blocksOf(content)
    if (role === 'assistant') chat.push(replyOf(blocks, source))
    else if (role === 'system') addUser(chat, [{ type: 'text', text: `<system>\n${textOf(blocks)}\n</system>` }])
    else addQuestion(chat, blocks, source)
  }
  return chat.map(withPlainText)
}

function blocksOf(content: MessageContentParam): ContentBlockParam[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function textOf(blocks: readonly ContentBlockParam[]): string {
  return blocks.map((block) => (block.type === 'text' ? block.text : '')).join('\n\n')
}

/** A user's message: a `tool` message for each result, then the rest. */
function addQuestion(chat: ChatMessage[], blocks: readonly ContentBlockParam[], source: Source): void {
  const rest: ChatPart[] = []
  for (const [index, block] of blocks.entries()) {
    const at = { ...source, path: `${source.path}.${index}` }
    if (!isResult(block)) rest.push(...partsOf(block, at))
    else rest.push(...addResult(chat, block, at))
  }
  if (rest.length > 0) addUser(chat, rest)
}

/** Adds the text of a result. Returns the pictures in it, which a `tool` message cannot hold. */
function addResult(chat: ChatMessage[], block: ToolResultBlockParam, source: Source): ChatPart[] {
  const inner = blocksOf((block.content ?? '') as MessageContentParam)
  const parts = inner.flatMap((each, index) => partsOf(each, { ...source, path: `${source.path}.content.${index}` }))
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const content = block.is_error ? `Error: ${text}` : text
  const { id } = callIdParts(block.tool_use_id)
  chat.push({ role: 'tool', tool_call_id: source.dialect.toolCallId(id), content })
  return parts.filter((part) => part.type !== 'text')
}

function isResult(block: ContentBlockParam): block is ToolResultBlockParam {
  return block.type === 'tool_result'
}

function addUser(chat: ChatMessage[], parts: ChatPart[]): void {
  const last = chat.at(-1)
  if (last?.role === 'user') last.content = [...(last.content as ChatPart[]), ...parts]
  else chat.push({ role: 'user', content: parts })
}

/** A reply: its text and its calls. Thinking is sent only if asked for; the work of server tools cannot be sent. */
function replyOf(blocks: readonly ContentBlockParam[], { options, dialect, path }: Source): ChatMessage {
  const parts: ChatPart[] = []
  const calls: ChatToolCall[] = []
  let thinking = ''
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'tool_use') calls.push(callOf(block, dialect, calls.length === 0))
    else if (block.type === 'thinking') thinking += (block as { thinking: string }).thinking
    else if (!isThinking(block) && !isServerToolBlock(block))
      parts.push(...partsOf(block, { options, dialect, path: `${path}.${index}` }))
  }
  const { sendsThinking = dialect.wantsThinking } = options
  const hasThinking = thinking !== '' || (dialect.wantsThinking && calls.length > 0)
  return {
    role: 'assistant',
    // Null stands for the calls: without any it is refused.
    content: parts.length > 0 ? parts : calls.length > 0 ? null : '',
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(sendsThinking && hasThinking && { reasoning_content: thinking }),
  }
}

/** @param isFirst whether it is the first call of its reply: the only one that has to be signed. */
function callOf(block: ContentBlockParam, { toolCallId, foreignSignature }: Dialect, isFirst: boolean): ChatToolCall {
  const { id: carrying, name, input } = block as { id: string; name: string; input: unknown }
  const { id, extra = isFirst ? foreignSignature : undefined } = callIdParts(carrying)
  return {
    id: toolCallId(id),
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
    ...(extra && { extra_content: extra }),
  }
}

/** Text alone is sent as a string: servers of text models accept nothing else. */
function withPlainText(message: ChatMessage): ChatMessage {
  const { content } = message
  if (!Array.isArray(content) || content.some(({ type }) => type !== 'text')) return message
  return { ...message, content: content.map((part) => (part as { text: string }).text).join('\n\n') }
}
