import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Tool, ToolUnion } from '../../protocol/types/tool.ts'
import { chatMessages } from './messages.ts'
import { type ChatCompletionsOptions, type Dialect, unsupported } from './options.ts'
import type { ChatRequest } from './wire.ts'

/**
 * The Chat Completions request for a Messages request.
 *
 * `stop_sequences` stay here: servers leave the sequence out of the text and do not say that one was found, so the engine
 * looks for them itself.
 */
export function chatRequest(
  params: MessageCreateParams,
  options: ChatCompletionsOptions,
  dialect: Dialect,
): ChatRequest {
  const { temperature, top_p, top_k, metadata, output_config: output } = params
  const isContinued = params.messages.at(-1)?.role === 'assistant'
  if (isContinued && !options.prefill) {
    throw apiError(
      'invalid_request_error',
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    )
  }
  return {
    model: options.model ?? params.model,
    messages: chatMessages(params, options, dialect),
    stream: true,
    ...(dialect.asksUsage && { stream_options: { include_usage: true } }),
    [dialect.maxTokensField]: params.max_tokens,
    ...defined({ temperature, top_p }),
    ...(!dialect.isStrict && defined({ top_k })),
    ...(metadata?.user_id && !dialect.isStrict && { user: metadata.user_id }),
    ...toolFields(params, options),
    ...(output?.format && { response_format: responseFormat(output.format.schema) }),
    ...(isContinued && !dialect.isStrict && { continue_final_message: true, add_generation_prompt: false }),
    ...options.extraBody,
  }
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null))
}

function responseFormat(schema: object): object {
  return { type: 'json_schema', json_schema: { name: 'reply', schema, strict: true } }
}

function toolFields(params: MessageCreateParams, options: ChatCompletionsOptions): Record<string, unknown> {
  const { tools = [], tool_choice: choice } = params
  const functions = tools.flatMap((tool, index) => functionOf(tool, index, options))
  if (functions.length === 0) return {}
  return {
    tools: functions,
    ...(choice && { tool_choice: choiceOf(choice) }),
    ...(choice &&
      'disable_parallel_tool_use' in choice &&
      choice.disable_parallel_tool_use && { parallel_tool_calls: false }),
  }
}

function functionOf(tool: ToolUnion, index: number, options: ChatCompletionsOptions): object[] {
  if (isCustom(tool)) {
    const { name, description, input_schema: parameters, strict } = tool
    return [
      {
        type: 'function',
        function: { name, ...(description && { description }), parameters, ...(strict && { strict }) },
      },
    ]
  }
  return unsupported(`tools.${index}: a tool of type '${tool.type}'`, options)
}

function isCustom(tool: ToolUnion): tool is Tool {
  return 'input_schema' in tool
}

function choiceOf(choice: NonNullable<MessageCreateParams['tool_choice']>): unknown {
  if (choice.type === 'any') return 'required'
  return choice.type === 'tool' && 'name' in choice
    ? { type: 'function', function: { name: choice.name } }
    : choice.type
}
