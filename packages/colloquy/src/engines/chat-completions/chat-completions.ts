import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { APIConnectionError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import { throwIfAborted } from '../clock.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import { type ChatCompletionsOptions, dialectOf } from './options.ts'
import { ReplyWriter } from './reply.ts'
import { chatRequest } from './request.ts'
import { ServerRequest } from './server-request.ts'

/**
 * Makes an engine from any server of the Chat Completions API: llama.cpp, Ollama, LM Studio, vLLM, SGLang, OpenRouter, OpenAI,
 * Groq, Mistral. Requests and replies are translated whole; a part of a request that the server cannot have is an
 * `invalid_request_error`, unless `unsupported` is `drop`.
 *
 * A reply costs nothing here: prices belong to the server. `usage.estimated` is true if the server gave no counts.
 */
export function chatCompletions(options: ChatCompletionsOptions): Engine {
  const dialect = dialectOf(options.baseURL)
  const url = `${options.baseURL.replace(/\/+$/, '')}/chat/completions`

  async function* engine(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<MessageStreamEvent> {
    throwIfAborted(context.signal)
    const body = JSON.stringify(chatRequest(params, options, dialect))
    const request = new ServerRequest(url, options, context.signal)
    try {
      const reply = new ReplyWriter(params, countPromptTokens(params))
      let isStarted = false
      for await (const chunk of request.chunks(body)) {
        if (!isStarted) yield reply.start(chunk.model || params.model)
        isStarted = true
        yield* reply.push(chunk)
        if (reply.isStopped) break
      }
      if (!isStarted) throw new APIConnectionError({ message: "The model's server sent an empty reply." })
      yield* reply.end()
    } finally {
      request.close()
    }
  }

  async function countTokens(params: MessageCountTokensParams): Promise<MessageTokensCount> {
    return { input_tokens: countPromptTokens(params) }
  }

  return Object.assign(engine, { countTokens })
}
