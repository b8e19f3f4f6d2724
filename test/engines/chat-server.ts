import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Engine } from 'colloquy/engines'
import { isErrorBody, type ContentBlockParam, type MessageCreateParams } from 'colloquy/protocol'

interface ChatBody {
  model: string
  messages: {
    role: string
    content: string | null
    tool_calls?: { id: string; function: { name: string; arguments: string } }[]
    tool_call_id?: string
  }[]
  max_tokens: number
  temperature?: number
  tools?: { function: { name: string; description?: string; parameters: { type: 'object' } } }[]
  tool_choice?: 'none' | 'auto' | 'required' | { function: { name: string } }
  response_format?: { json_schema: { schema: Record<string, unknown> } }
}

export interface ChatServerOptions {
  /** The names of its models. Undefined: it has no list. */
  models?: readonly string[] | undefined
}

/** A server of the Chat Completions API in front of an engine, as the other side of `chatCompletions()`. */
export async function startChatServer(
  engine: Engine,
  { models }: ChatServerOptions = { models: ['one'] },
): Promise<{ baseURL: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.writeHead(models === undefined ? 404 : 200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify({ data: models?.map((id) => ({ id, object: 'model' })) }))
    }
    const body = JSON.parse(await text(request)) as ChatBody
    const controller = new AbortController()
    response.on('close', () => controller.abort())
    const send = (chunk: unknown): unknown =>
      response.write(`data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`)
    const events = engine(paramsOf(body), { signal: controller.signal })
    let calls = -1
    try {
      for await (const event of events) {
        if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
        const fields = event as {
          content_block?: { type: string; id: string; name: string }
          delta?: { type?: string; text?: string; partial_json?: string; stop_reason?: string }
          usage?: {
            input_tokens: number
            cache_read_input_tokens: number
            cache_creation_input_tokens: number
            output_tokens: number
          }
        }
        const { content_block: block, delta } = fields
        const chunk = (content: object, finish_reason: string | null = null): void =>
          void send({ model: body.model, choices: [{ index: 0, delta: content, finish_reason }] })
        if (event.type === 'content_block_start' && block?.type === 'tool_use') {
          chunk({ tool_calls: [{ index: ++calls, id: block.id, function: { name: block.name, arguments: '' } }] })
        } else if (delta?.type === 'text_delta') chunk({ content: delta.text })
        else if (delta?.type === 'input_json_delta')
          chunk({ tool_calls: [{ index: calls, function: { arguments: delta.partial_json } }] })
        else if (event.type === 'message_delta') {
          chunk({}, delta?.stop_reason === 'max_tokens' ? 'length' : 'stop')
          const {
            input_tokens,
            cache_read_input_tokens: read,
            cache_creation_input_tokens: written,
            output_tokens,
          } = fields.usage!
          send({
            choices: [],
            usage: {
              prompt_tokens: (input_tokens ?? 0) + read + written,
              completion_tokens: output_tokens,
              prompt_tokens_details: { cached_tokens: read },
            },
          })
        }
      }
      response.end('data: [DONE]\n\n')
    } catch (error) {
      const { error: found, status = 500 } = error as { error?: unknown; status?: number }
      if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ error: { message: isErrorBody(found) ? found.error.message : 'failed', code: status } }),
      )
    }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close }
}

function paramsOf(body: ChatBody): MessageCreateParams {
  const { messages, tools = [], tool_choice: choice, response_format: format } = body
  const params: MessageCreateParams = { model: body.model, max_tokens: body.max_tokens, messages: [] }
  for (const { role, content, tool_calls: calls = [], tool_call_id: id } of messages) {
    if (role === 'system') params.system = content!
    else if (role === 'tool') addResult(params, { type: 'tool_result', tool_use_id: id!, content: content! })
    else if (role === 'user') params.messages.push({ role, content: content! })
    else {
      const blocks: ContentBlockParam[] = content === null ? [] : [{ type: 'text', text: content }]
      blocks.push(
        ...calls.map((call) => ({
          type: 'tool_use' as const,
          id: call.id,
          name: call.function.name,
          input: JSON.parse(call.function.arguments) as object,
        })),
      )
      params.messages.push({ role: 'assistant', content: blocks })
    }
  }
  if (tools.length > 0)
    params.tools = tools.map(({ function: { name, parameters } }) => ({ name, input_schema: parameters }))
  if (choice === 'required') params.tool_choice = { type: 'any' }
  else if (typeof choice === 'object') params.tool_choice = { type: 'tool', name: choice.function.name }
  else if (choice !== undefined) params.tool_choice = { type: choice }
  if (format) params.output_config = { format: { type: 'json_schema', schema: format.json_schema.schema } }
  return params
}

function addResult({ messages }: MessageCreateParams, block: ContentBlockParam): void {
  const last = messages.at(-1)
  if (last?.role === 'user' && Array.isArray(last.content)) last.content.push(block)
  else messages.push({ role: 'user', content: [block] })
}
