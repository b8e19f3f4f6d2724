import { APIError, type ErrorType } from '../../protocol/types/error.ts'
import { type ChatChunk, choicesIn } from './wire.ts'

const typeByStatus = new Map<number, ErrorType>([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

/** The status that the API has for a type, where a server of Chat Completions answers with another one. */
const statusByType = new Map<ErrorType, number>([
  ['overloaded_error', 529],
  ['timeout_error', 504],
])

/** The status for the words of OpenAI, Anthropic and Google. */
const statusByWord: [status: number, word: RegExp][] = [
  [429, /rate_limit|quota|resource_exhausted/i],
  [503, /overloaded|unavailable/i],
  [401, /authentication|unauthenticated/i],
  [400, /invalid_(?:request|argument)/i],
]

/** The error for a response that is not a success. It keeps the server's words and the headers that say when to retry. */
export function errorOf(status: number, body: string, headers?: Headers): APIError {
  const parsed = parsedBody(body)
  const tooLong = tooLongMessage(parsed, body)
  if (tooLong !== undefined) return make(400, 'invalid_request_error', tooLong, headers)
  const isRefused = /\b(?:image|audio|tool|file)s?\b.*\bnot supported\b|does not support/i.test(body)
  const type = typeByStatus.get(status) ?? (status < 500 || isRefused ? 'invalid_request_error' : 'api_error')
  const words = messageIn(parsed) ?? (looksLikePage(body) ? '' : body.trim().slice(0, 300))
  const message = words === '' ? `The model's server answered with status ${status}${redirection(headers)}.` : words
  return make(statusByType.get(type) ?? (type === 'invalid_request_error' ? 400 : status), type, message, headers)
}

/** The target of a redirect, often the right address: `https:` in place of `http:`. The key is not sent there. */
function redirection(headers: Headers | undefined): string {
  const target = URL.parse(headers?.get('location') ?? '')
  return target === null ? '' : `: it redirects to ${target.origin}${target.pathname}`
}

/** The error that a chunk reports, in whichever place the server has it; undefined if it reports none. */
export function errorIn(chunk: ChatChunk): APIError | undefined {
  const { error, object, detail, choices, ...rest } = chunk
  const [first] = choicesIn(chunk)
  const found = error ?? first?.error ?? (choices ? undefined : detail)
  if (found != null) return errorInStream(found)
  if (object === 'error') return errorInStream(rest)
  const [reason = ''] = first?.finish_reason?.split(':') ?? []
  const failure = failures.get(reason)
  return failure === undefined ? undefined : errorInStream(failure)
}

/** The errors that servers report as the reason of an end: OpenRouter and Mistral, vLLM, Gemini, and DeepSeek. */
const failures = new Map<string, unknown>([
  ['error', "The model's server ended the reply with an error."],
  ['abort', "The model's server aborted the reply."],
  ['function_call_filter', "The model's server refused the call that the model wrote, as it is malformed."],
  [
    'insufficient_system_resource',
    { code: 503, message: "The model's server interrupted the reply because it is overloaded." },
  ],
])

/** The error for an `error` member in the middle of a stream, or for the data of an event of that name. */
export function errorInStream(given: unknown): APIError {
  const parsed = typeof given === 'string' ? (parsedBody(given) ?? given) : given
  const error = (parsed as { error?: unknown } | null)?.error ?? parsed
  return errorOf(statusIn(error ?? {}), JSON.stringify({ error }))
}

/** The members in which servers say which error it is: a status, or a word. */
interface StatedError {
  code?: unknown
  status?: unknown
  status_code?: unknown
  type?: unknown
}

function statusIn({ code, status, status_code, type }: StatedError): number {
  const stated = [code, status, status_code, type].filter((each) => each != null).map(String)
  const found = stated.map(Number).find((number) => number >= 400 && number < 600)
  return found ?? statusByWord.find(([, word]) => stated.some((each) => word.test(each)))?.[0] ?? 500
}

function make(status: number, type: ErrorType, message: string, headers?: Headers): APIError {
  return APIError.generate(status, { type: 'error', error: { type, message } }, undefined, headers)
}

function parsedBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** A value that may have several types is wrong for each of them. */
const maxFindings = 3

/** The words of an error, in whichever of the usual members they are. FastAPI lists what it found, each at a place `loc`. */
function messageIn(body: unknown): string | undefined {
  if (typeof body === 'string') return body
  if (Array.isArray(body)) return body.slice(0, maxFindings).map(messageIn).filter(Boolean).join('; ') || undefined
  if (typeof body !== 'object' || body === null) return undefined
  const { error, message, detail, loc, msg } = body as Record<string, unknown>
  if (Array.isArray(loc)) return [loc.filter((part) => part !== 'body').join('.'), msg].filter(Boolean).join(': ')
  return [error, message, detail].map(messageIn).find((text) => text !== undefined && text !== '')
}

function looksLikePage(body: string): boolean {
  return /^\s*</.test(body)
}

const tooLongPatterns = [
  // OpenAI, vLLM: "maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, …"
  /maximum context length is (?<limit>\d+) tokens.*?(?:requested|resulted in) (?<total>\d+) tokens(?: \((?<prompt>\d+) in the messages)?/,
  // llama.cpp: "request (3030 tokens) exceeds the available context size (1024 tokens)"
  /request \((?<prompt>\d+) tokens\) exceeds the available context size \((?<limit>\d+) tokens\)/,
  // SGLang: "The input (5000 tokens) is longer than the model's context length (4096 tokens)."
  /\((?<prompt>\d+) tokens\) is longer than the model's context length \((?<limit>\d+) tokens\)/,
]

/** The API's words for a prompt that is longer than the window; undefined if the error says something else. */
function tooLongMessage(parsed: unknown, body: string): string | undefined {
  const { n_prompt_tokens: prompt, n_ctx: limit } = ((parsed as { error?: unknown } | undefined)?.error ?? {}) as {
    n_prompt_tokens?: number
    n_ctx?: number
  }
  if (prompt !== undefined && limit !== undefined) return tooLong(prompt, limit)
  const text = messageIn(parsed) ?? body
  for (const pattern of tooLongPatterns) {
    const { groups } = pattern.exec(text) ?? {}
    const found = groups?.['prompt'] ?? groups?.['total']
    if (groups && found) return tooLong(Number(found), Number(groups['limit']))
  }
  return /context_length_exceeded|exceed_context_size/.test(body) ? 'prompt is too long' : undefined
}

function tooLong(prompt: number, limit: number): string {
  return `prompt is too long: ${prompt} tokens > ${limit} maximum`
}
