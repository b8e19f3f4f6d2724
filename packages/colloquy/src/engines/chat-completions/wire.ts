import { isObject } from '../../protocol/json/json-object.ts'

// The Chat Completions API as its servers speak it, as far as the engine uses it.

export interface ChatRequest {
  model: string
  messages: ChatMessage[]
  stream: true
  [field: string]: unknown
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string | ChatPart[] | null
  tool_calls?: ChatToolCall[]
  tool_call_id?: string
  reasoning_content?: string
}

export type ChatPart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } }
  | { type: 'file'; file: { filename: string; file_data: string } }

export interface ChatToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
  /** Gemini's place for the signature of a call. */
  extra_content?: object
}

/** Whether a value can be read as a chunk: some servers send null between chunks. */
export function isChunk(value: unknown): value is ChatChunk {
  return isObject(value)
}

/** The replies in a chunk. */
export function choicesIn({ choices }: ChatChunk): ChatChoice[] {
  return list(choices).filter((choice) => isObject(choice))
}

/** The items of a list. A server may send something else, and nulls in it. */
export function list<Item>(value: readonly (Item | null)[] | null | undefined): Item[] {
  return Array.isArray(value) ? (value as (Item | null)[]).filter((item) => item !== null) : []
}

/** One event of a streamed reply. Everything may be missing: servers differ. */
export interface ChatChunk {
  model?: string | null
  choices?: ChatChoice[] | null
  usage?: ChatUsage | null
  /** Groq's place for the usage. */
  x_groq?: { usage?: ChatUsage | null } | null
  error?: unknown
  /** `error` from vLLM: then the fields of the error stand beside it. */
  object?: string | null
  /** FastAPI's place for an error. */
  detail?: unknown
}

export interface ChatChoice {
  /** Above 0 for further replies, which nothing here requests. */
  index?: number | null
  delta?: ChatDelta | null
  /** In place of `delta` from a server that does not stream. */
  message?: ChatDelta | null
  /** `error` from OpenRouter, with the error beside it. */
  finish_reason?: string | null
  error?: unknown
}

/** A part of a reply's content, as Mistral sends them. */
export interface ReplyPart {
  type: string
  text?: string | null
  /** Parts of text, of a part of type `thinking`. */
  thinking?: string | (ReplyPart | null)[] | null
}

export interface ChatDelta {
  content?: string | (ReplyPart | string | null)[] | null
  refusal?: string | null
  reasoning?: unknown
  reasoning_content?: unknown
  thinking?: unknown
  tool_calls?: (ChatCallDelta | null)[] | null
  /** The only call, from servers that are older than `tool_calls`. */
  function_call?: ChatCallDelta['function']
}

export interface ChatCallDelta {
  index?: number | null
  id?: string | null
  function?: { name?: string | null; arguments?: unknown } | null
  extra_content?: unknown
}

export interface ChatUsage {
  prompt_tokens?: number | null
  completion_tokens?: number | null
  prompt_tokens_details?: { cached_tokens?: number | null } | null
  completion_tokens_details?: { reasoning_tokens?: number | null } | null
  /** DeepSeek's name for the cached tokens. */
  prompt_cache_hit_tokens?: number | null
}
