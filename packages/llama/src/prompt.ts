import { APIError, apiError, type MessageCreateParams, type MessageParam } from 'colloquy/protocol'
import type { LoadedModel } from './model/loaded-model.ts'
import type { Token } from './model/runtime.ts'
import { callText, resultText, toolsText } from './tool-text.ts'

export interface Prompt {
  tokens: readonly Token[]
  /** The beginning of the reply that the request has. */
  prefill: string
  /** Whether the prompt ends in `<think>`, so that the reply begins with thinking. */
  opensThinking: boolean
}

// Private use characters, so that no text of a user looks like a mark.
const opening = '\ue000'
const closing = '\ue001'

/**
 * The tokens of a request by the model's own chat template. The template is rendered with a mark for each text, so that only the
 * template's own control tokens become control tokens, never those that a user typed.
 */
export async function promptOf(
  model: LoadedModel,
  params: MessageCreateParams,
  defaultSystem: string,
): Promise<Prompt> {
  const texts: string[] = []
  const mark = (text: string): string => `${opening}${texts.push(text) - 1}${closing}`
  const messages = chatMessages(params, defaultSystem)
  const last = messages.at(-1)?.role === 'assistant' ? messages.pop()! : undefined
  const prefill = last?.text ?? ''
  const { text: rendered, opensThinking } = withoutOpenThinking(render(model, messages, mark), params, prefill)
  const pieces = `${rendered}${prefill && mark(prefill)}`.split(new RegExp(`${opening}(\\d+)${closing}`))
  const tokens: Token[] = []
  for (const [place, piece] of pieces.entries()) {
    const isText = place % 2 === 1
    const added = isText
      ? await model.tokenizer.text(texts[Number(piece)] ?? '')
      : model.tokenizer.template(piece, place === 0)
    for (const token of added) tokens.push(token)
  }
  const { bos, shouldPrependBosToken } = model.raw.tokens
  const needsBos = shouldPrependBosToken && bos !== null && tokens[0] !== bos
  if (needsBos) tokens.unshift(bos)
  if (tokens.length === 0)
    throw apiError('invalid_request_error', "messages: the model's chat template writes nothing for them.")
  return { tokens, prefill, opensThinking }
}

/**
 * Some templates open the model's thinking, such as those of DeepSeek R1. It is closed at once for a reply whose form is
 * given: by a beginning, a schema or a call.
 */
function withoutOpenThinking(
  text: string,
  { tool_choice: choice, output_config: output }: MessageCreateParams,
  prefill: string,
): { text: string; opensThinking: boolean } {
  if (!/<think>\s*$/.test(text)) return { text, opensThinking: false }
  const isGiven = prefill !== '' || output?.format || choice?.type === 'any' || choice?.type === 'tool'
  return isGiven ? { text: `${text.trimEnd()}\n\n</think>\n\n`, opensThinking: false } : { text, opensThinking: true }
}

/**
 * The prompt by the template. Some templates refuse a system message, such as Gemma 2's: its text then begins the first message
 * of the user.
 */
function render(model: LoadedModel, messages: readonly ChatMessage[], mark: (text: string) => string): string {
  const { bosString, eosString } = model.raw.tokens
  const rendered = (all: readonly ChatMessage[]): string =>
    model.template.render({
      messages: all.map(({ role, text }) => ({ role, content: mark(text) })),
      add_generation_prompt: true,
      bos_token: bosString ?? '',
      eos_token: eosString ?? '',
    })
  try {
    try {
      return rendered(messages)
    } catch (error) {
      const [system, first, ...others] = messages
      if (error instanceof APIError || system?.role !== 'system' || first?.role !== 'user') throw error
      return rendered([{ role: 'user', text: `${system.text}\n\n${first.text}` }, ...others])
    }
  } catch (error) {
    if (error instanceof APIError) throw error
    throw apiError(
      'invalid_request_error',
      `messages: the model's chat template refuses them: ${(error as Error).message}`,
    )
  }
}

interface ChatMessage {
  role: string
  text: string
}

/** System messages within the history become text of the user, and messages of one role that follow each other become one. */
function chatMessages(params: MessageCreateParams, defaultSystem: string): ChatMessage[] {
  const system = [systemText(params.system) || defaultSystem, toolsText(params)].filter(Boolean).join('\n\n')
  const messages: ChatMessage[] = system === '' ? [] : [{ role: 'system', text: system }]
  for (const [index, { role, content }] of params.messages.entries()) {
    const text = contentText(content, `messages.${index}.content`)
    const said = role === 'system' ? { role: 'user', text: `<system>\n${text}\n</system>` } : { role, text }
    const before = messages.at(-1)
    if (before?.role === said.role) before.text += `\n\n${said.text}`
    else messages.push(said)
  }
  return messages
}

function systemText(system: MessageCreateParams['system']): string {
  return typeof system === 'string' ? system : (system ?? []).map(({ text }) => text).join('\n\n')
}

type Content = MessageParam['content']

function contentText(content: Content, path: string): string {
  if (typeof content === 'string') return content
  const texts = content.map((block, index) => blockText(block as Block, `${path}.${index}`))
  return texts.filter((text) => text !== '').join('\n')
}

interface Block {
  type: string
  text?: string
  name?: string
  input?: unknown
  content?: Content
  title?: string | null
  source?: { type: string; data?: string; content?: Content }
}

/** The result of a tool with a note in the place of each image: a user who attaches one can leave it out, a tool cannot. */
function readableResult(content: Content): Content {
  if (typeof content === 'string') return content
  return content.map((block) =>
    block.type === 'image' ? { type: 'text', text: '[an image, which this model cannot read]' } : block,
  )
}

function blockText(block: Block, path: string): string {
  if (block.type === 'text') return block.text!
  if (block.type === 'tool_use') return callText(block.name!, block.input)
  if (block.type === 'tool_result') return resultText(contentText(readableResult(block.content ?? ''), path))
  if (block.type === 'thinking' || block.type === 'redacted_thinking') return ''
  if (block.type === 'document' && block.source?.type === 'text')
    return [block.title, block.source.data].filter(Boolean).join('\n\n')
  if (block.type === 'document' && block.source?.type === 'content') return contentText(block.source.content!, path)
  throw apiError('invalid_request_error', `${path}: this model reads text only, found a block of type '${block.type}'.`)
}
