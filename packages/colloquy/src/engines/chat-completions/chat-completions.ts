import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { APIConnectionError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import type { ModelInfo } from '../../protocol/types/resources/model.ts'
import { throwIfAborted } from '../clock.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import { addressOf, type ChatCompletionsOptions, checkChatOptions, dialectOf } from './options.ts'
import { PromptCounter } from './prompt-counter.ts'
import { ReplyWriter } from './reply.ts'
import { chatRequest } from './request.ts'
import { ServerRequest } from './server-request.ts'

/**
 * Makes an engine from any server of the Chat Completions API: llama.cpp, Ollama, LM Studio, vLLM, SGLang, OpenRouter, OpenAI,
 * Groq, Mistral. Requests and replies are translated whole; a part of a request that the server cannot have is an
 * `invalid_request_error`, unless `unsupported` is `drop`.
 *
 * A reply costs nothing here: prices belong to the server. llama.cpp and vLLM count the prompt exactly before the first event;
 * for others it is estimated there, and `usage.estimated` is true if the server gave no counts in the last event either.
 *
 * `listModels()` asks the server. With the option `model` it is absent, since requests may then name any model.
 *
 * @example
 * ```ts
 * import { chatCompletions } from 'colloquy/engines'
 * import { createServer } from '@colloquy/server'
 * import { listen } from '@colloquy/server/node'
 *
 * // Claude's clients talk to a model of Ollama.
 * const engine = chatCompletions({ baseURL: 'http://127.0.0.1:11434/v1', model: 'qwen3:8b' })
 * const { url, close } = await listen(createServer({ engine }), { port: 0 })
 * console.log(`ANTHROPIC_BASE_URL=${url}`)
 * await close()
 * ```
 */
export function chatCompletions(options: ChatCompletionsOptions): Engine {
  checkChatOptions(options)
  const dialect = dialectOf(options.baseURL)
  const counter = new PromptCounter(options, dialect)

  async function* engine(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<MessageStreamEvent> {
    throwIfAborted(context.signal)
    const chat = chatRequest(params, options, dialect)
    const request = new ServerRequest(addressOf(options.baseURL, '/chat/completions'), options, context.signal)
    try {
      // Beside the request, so that the first event does not come later.
      const counting = counter.count(chat, context.signal)
      let reply: ReplyWriter | undefined
      for await (const chunk of request.chunks(JSON.stringify(chat))) {
        if (reply === undefined) {
          reply = new ReplyWriter(params, (await counting) ?? countPromptTokens(params))
          yield reply.start(typeof chunk.model === 'string' && chunk.model !== '' ? chunk.model : params.model)
        }
        yield* reply.push(chunk)
        if (reply.isStopped) break
      }
      if (reply === undefined) throw new APIConnectionError({ message: "The model's server sent an empty reply." })
      yield* reply.end()
    } finally {
      request.close()
    }
  }

  async function countTokens(params: MessageCountTokensParams): Promise<MessageTokensCount> {
    const request = chatRequest({ ...params, max_tokens: 1 }, options, dialect)
    return { input_tokens: (await counter.count(request)) ?? countPromptTokens(params) }
  }

  async function listModels(context: EngineContext = {}): Promise<ModelInfo[]> {
    throwIfAborted(context.signal)
    const request = new ServerRequest(addressOf(options.baseURL, '/models'), options, context.signal)
    try {
      return modelsIn(await request.json())
    } finally {
      request.close()
    }
  }

  return Object.assign(engine, { countTokens, ...(options.model === undefined && { listModels }) })
}

/** The models of a server's list, newest first. Each server has a name of its own for the size of the window. */
function modelsIn(list: unknown): ModelInfo[] {
  const { data } = (list ?? {}) as { data?: unknown }
  if (!Array.isArray(data)) throw new APIConnectionError({ message: "The model's server sent no list of models." })
  const models = (data as (ListedModel | null)[]).filter((model) => typeof model?.id === 'string') as ListedModel[]
  return models
    .toSorted((a, b) => (b.created ?? 0) - (a.created ?? 0))
    .map((model) => ({
      type: 'model',
      id: model.id!,
      display_name: model.name ?? model.id!,
      created_at: new Date((model.created ?? 0) * 1000).toISOString().replace('.000Z', 'Z'),
      max_input_tokens: windowOf(model) ?? null,
      max_tokens: null,
      capabilities: null,
    }))
}

interface ListedModel {
  id?: string
  /** OpenRouter and Mistral. */
  name?: string | null
  /** Seconds since 1970. */
  created?: number
  /** vLLM and SGLang. */
  max_model_len?: number | null
  /** OpenRouter. */
  context_length?: number | null
  /** Groq. */
  context_window?: number | null
  /** LM Studio and Mistral. */
  max_context_length?: number | null
  /** llama.cpp. */
  meta?: { n_ctx?: number; n_ctx_train?: number } | null
}

function windowOf({ meta, ...model }: ListedModel): number | null | undefined {
  const named = model.max_model_len ?? model.context_length ?? model.context_window ?? model.max_context_length
  return named ?? meta?.n_ctx ?? meta?.n_ctx_train
}
