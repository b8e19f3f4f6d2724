import { addressOf, type ChatCompletionsOptions, type Dialect, headersOf } from './options.ts'
import type { ChatRequest } from './wire.ts'

/** Sends JSON to the server, and returns the JSON of a success. Throws an `Unknown` for a path that the server lacks. */
type Post = (url: string, body: object) => Promise<Record<string, unknown>>

/** A way in which a server counts the tokens of a prompt with its model's own template. Undefined if it gave no count. */
type Way = (base: string, request: ChatRequest, post: Post) => Promise<number | undefined>

/** The server has no such path. */
class Unknown extends Error {}

/** How long a count may take, so that it never holds up a reply that is there. Milliseconds. */
const timeoutMs = 2_000

/**
 * Counts prompts exactly at servers that can: llama.cpp and vLLM. Finds out with the first prompt whether the server can, and
 * in which way.
 */
export class PromptCounter {
  readonly #base: string
  readonly #options: ChatCompletionsOptions
  #ways: readonly Way[]

  constructor(options: ChatCompletionsOptions, dialect: Dialect) {
    this.#base = options.baseURL
    this.#options = options
    this.#ways = dialect.countsPrompts ? [chatEndpoint, vllmTokenize, templateAndTokenize] : []
  }

  /** The tokens of the prompt. Undefined if the server cannot count them, or did not answer in time. Never throws. */
  async count(request: ChatRequest, signal?: AbortSignal): Promise<number | undefined> {
    if (this.#ways.length === 0) return undefined
    const controller = new AbortController()
    const { promise: ended, resolve } = Promise.withResolvers<undefined>()
    const end = (): void => {
      controller.abort()
      // Not every `fetch` ends when its signal aborts.
      resolve(undefined)
    }
    const timer = setTimeout(end, timeoutMs)
    signal?.addEventListener('abort', end, { once: true })
    try {
      return await Promise.race([this.#firstCount(request, controller.signal), ended])
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
    }
  }

  async #firstCount(request: ChatRequest, signal: AbortSignal): Promise<number | undefined> {
    for (const way of this.#ways) {
      try {
        const count = await way(this.#base, request, (url, body) => this.#post(url, body, signal))
        if (count !== undefined) {
          this.#ways = [way]
          return count
        }
      } catch (error) {
        // A server that fails or cannot be reached may count the next prompt.
        if (!(error instanceof Unknown)) return undefined
      }
    }
    this.#ways = []
    return undefined
  }

  async #post(url: string, body: object, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { fetch = globalThis.fetch } = this.#options
    const response = await fetch(url, {
      method: 'POST',
      headers: headersOf(this.#options, { 'content-type': 'application/json' }),
      body: JSON.stringify(body),
      signal,
      redirect: 'error',
    })
    if ([404, 405, 501].includes(response.status)) throw new Unknown()
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(await textOf(response, signal)) as Record<string, unknown>
  }
}

/** A list of tokens that is longer is not read. Characters. */
const maxLength = 20_000_000

async function textOf(response: Response, signal: AbortSignal): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true })
    // Leaving the loop cancels the body.
    if (signal.aborted || text.length > maxLength) throw new Error('the count was not read')
  }
  return text
}

/** llama.cpp. */
async function chatEndpoint(base: string, request: ChatRequest, post: Post): Promise<number | undefined> {
  return numberIn((await post(addressOf(base, '/chat/completions/input_tokens'), request))['input_tokens'])
}

async function vllmTokenize(base: string, request: ChatRequest, post: Post): Promise<number | undefined> {
  const { model, messages, tools, continue_final_message, add_generation_prompt = true } = request
  const body = { model, messages, tools, continue_final_message, add_generation_prompt }
  return numberIn((await post(atRoot(base, '/tokenize'), body))['count'])
}

/** llama.cpp before it counted by itself. */
async function templateAndTokenize(base: string, request: ChatRequest, post: Post): Promise<number | undefined> {
  const { prompt } = await post(atRoot(base, '/apply-template'), request)
  if (typeof prompt !== 'string') return undefined
  const { tokens } = await post(atRoot(base, '/tokenize'), { content: prompt, add_special: true, parse_special: true })
  return Array.isArray(tokens) ? tokens.length : undefined
}

function atRoot(base: string, path: string): string {
  return addressOf(base.replace(/\/v1\/*(?=\?|$)/, ''), path)
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}
