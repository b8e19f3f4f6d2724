import { describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import { aboveZero, anything, callable, checkOptions, flag, object, oneOf, type Rule, text } from '../check-options.ts'

/** The address of a Chat Completions server, and how it differs from others. */
export interface ChatCompletionsOptions {
  /** The address before `/chat/completions`, such as `http://127.0.0.1:11434/v1`. Its query is sent with each request. */
  baseURL: string
  /** Sent as `Authorization: Bearer`, and to Azure as `api-key`. Default: none, as for servers on this machine. */
  apiKey?: string
  /** The model to ask for, whatever the request says. Default: the request's model. */
  model?: string
  /** Headers for every request. */
  headers?: Record<string, string>
  /** Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** How long the server may take until its first byte. Milliseconds. Default 600,000, but the `fetch` of Node ends at 300,000. */
  timeoutMs?: number
  /** Fields to add to every request, such as `{ top_k: 20 }`. They replace the engine's own. */
  extraBody?: Record<string, unknown>
  /**
   * How to handle parts of a request that the server does not have, such as server tools. `refuse` (the default) is an
   * `invalid_request_error` that names the part; `drop` leaves the part out.
   */
  unsupported?: 'refuse' | 'drop'
  /**
   * Whether the server continues a reply whose beginning is the last message, as llama.cpp and vLLM do. Default false: such a
   * request is refused, as Claude models from 4.6 on refuse it.
   */
  prefill?: boolean
  /**
   * Whether to send earlier thinking back, as `reasoning_content`. Some servers refuse the field. Default: true for DeepSeek
   * and Moonshot, which refuse a call without it; else false.
   */
  sendsThinking?: boolean
}

/** The differences between servers that the engine knows by their address. */
export interface Dialect {
  /** Refuses fields that OpenAI does not document, such as `top_k`. */
  isStrict: boolean
  maxTokensField: 'max_tokens' | 'max_completion_tokens'
  /** Must be asked for the usage of a stream. Mistral always sends it, and refuses the question. */
  asksUsage: boolean
  /** Refuses a call in the history without the thinking before it. */
  wantsThinking: boolean
  /** The signature for a call in the history that another model made, at a server that signs its calls. */
  foreignSignature: object | undefined
  /** Takes PDF files. */
  readsPdf: boolean
  /** May count the tokens of a prompt at a path of its own. */
  countsPrompts: boolean
  /** The headers that carry a key. */
  keyHeaders: (key: string) => Record<string, string>
  /** The form of the ids of tool calls: Mistral accepts nine letters and digits only. */
  toolCallId: (id: string) => string
}

export function dialectOf(baseURL: string): Dialect {
  const { hostname, pathname } = new URL(baseURL)
  const isAt = (domain: string): boolean => hostname === domain || hostname.endsWith(`.${domain}`)
  const isOpenAI = isAt('openai.com') || (isAt('azure.com') && pathname.startsWith('/openai'))
  const wantsThinking = ['deepseek.com', 'moonshot.ai', 'moonshot.cn'].some(isAt)
  return {
    isStrict: ['openai.com', 'azure.com', 'groq.com', 'mistral.ai', 'googleapis.com'].some(isAt),
    maxTokensField: isOpenAI ? 'max_completion_tokens' : 'max_tokens',
    asksUsage: !isAt('mistral.ai'),
    wantsThinking,
    foreignSignature: isAt('googleapis.com')
      ? { google: { thought_signature: 'skip_thought_signature_validator' } }
      : undefined,
    readsPdf: isAt('openai.com') || isAt('openrouter.ai'),
    countsPrompts: !(
      wantsThinking ||
      ['openai.com', 'azure.com', 'groq.com', 'mistral.ai', 'openrouter.ai', 'googleapis.com'].some(isAt)
    ),
    keyHeaders: isAt('azure.com') ? (key) => ({ 'api-key': key }) : (key) => ({ authorization: `Bearer ${key}` }),
    toolCallId: isAt('mistral.ai') ? nineCharacters : (id) => id,
  }
}

const rules = {
  baseURL: anything,
  apiKey: { must: 'a text without line breaks', holds: (value) => fitsHeader('authorization', value), isSecret: true },
  model: text,
  headers: {
    must: 'an object of names and texts',
    // The entries of a `Headers` object are not its properties: it would send none.
    holds: (value) =>
      object.holds(value) &&
      !(value instanceof Headers) &&
      Object.entries(value as object).every((entry) => fitsHeader(...entry)),
    isSecret: true,
  },
  fetch: callable,
  timeoutMs: aboveZero,
  extraBody: object,
  unsupported: oneOf('refuse', 'drop'),
  prefill: flag,
  sendsThinking: flag,
} satisfies Record<keyof ChatCompletionsOptions, Rule>

function fitsHeader(name: string, value: unknown): boolean {
  try {
    return typeof value === 'string' && !/[\r\n]/.test(value) && new Headers({ [name]: value }).has(name)
  } catch {
    return false
  }
}

/** Throws an `AnthropicError` for an option that is not known, a value that it cannot have, and a wrong `baseURL`. */
export function checkChatOptions(options: ChatCompletionsOptions): void {
  const owner = 'chatCompletions()'
  checkOptions(options, rules, owner)
  const { baseURL } = options
  const url = typeof baseURL === 'string' ? URL.parse(baseURL) : null
  // An address may have a password in it.
  const found = typeof baseURL === 'string' ? 'another text' : describeValue(baseURL)
  if (!/^https?:$/.test(url?.protocol ?? '')) {
    const example = 'such as http://127.0.0.1:11434/v1'
    throw new AnthropicError(`Cannot use ${owner} as baseURL must be an address, ${example}: found ${found}`)
  }
  if (url!.username || url!.password)
    throw new AnthropicError(`Cannot use baseURL of ${owner} with a user or a password in it: set headers instead`)
  if (/\/chat\/completions\/*$/.test(url!.pathname))
    throw new AnthropicError(`Cannot use baseURL of ${owner} as it ends with /chat/completions: leave that out`)
}

/** The same nine characters for the same id. */
function nineCharacters(id: string): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(id)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return Array.from({ length: 9 }, (_, place) => letters[Number((hash >> BigInt(place * 6)) % 36n)]).join('')
}

/** The headers of a request: with the key in the form of the server, and with the caller's last. */
export function headersOf(
  { baseURL, apiKey, headers }: ChatCompletionsOptions,
  own: Record<string, string>,
): Record<string, string> {
  return { ...own, ...(apiKey && dialectOf(baseURL).keyHeaders(apiKey)), ...headers }
}

/** The address of a path below the base URL, which may have a query, as Azure's has. */
export function addressOf(baseURL: string, path: string): string {
  const [base = '', query] = baseURL.split('?', 2)
  return `${base.replace(/\/+$/, '')}${path}${query === undefined ? '' : `?${query}`}`
}

/** The path of a content in the request, and the server that it is for. */
export interface Source {
  path: string
  options: ChatCompletionsOptions
  dialect: Dialect
}

/** Nothing, or the error for a part of a request that the server does not have. */
export function unsupported(part: string, options: ChatCompletionsOptions): never[] {
  if (options.unsupported === 'drop') return []
  throw apiError('invalid_request_error', `${part} is not supported by this model's server.`)
}
