import { AnthropicError } from '../types/error.ts'
import { checkArgument } from './option-names.ts'
import type { ContentBlock, Message, TextBlock } from '../types/message.ts'
import { parseJson } from '../codec/parse-json.ts'
import type { JSONOutputFormat, MessageCreateParams, OutputConfig } from '../types/params.ts'

/** An `output_config.format` that can parse the text of a reply. */
export interface OutputFormat<Parsed> extends JSONOutputFormat {
  /** Throws an `AnthropicError` that says what is wrong if the text does not satisfy the schema. */
  parse(text: string): Parsed
}

/** Parameters whose output format may have a `parse()`. */
export type ParseableParams = Omit<MessageCreateParams, 'output_config'> & {
  output_config?: (Omit<OutputConfig, 'format'> & { format?: JSONOutputFormat | OutputFormat<unknown> | null }) | null
  /** @deprecated The earlier name of `output_config.format`. */
  output_format?: JSONOutputFormat | OutputFormat<unknown> | null
}

/** The type of the parsed reply; `null` without an output format. */
export type ParsedOf<Params> = Params extends
  | { output_config: { format: OutputFormat<infer Parsed> } }
  | { output_format: OutputFormat<infer Parsed> }
  ? Parsed
  : null

/** A text block with its parsed value. */
export type ParsedTextBlock<Parsed> = TextBlock & {
  parsed_output: Parsed | null
  /** @deprecated The earlier name of `parsed_output`. */
  readonly parsed?: Parsed | null
}

/** A reply with the value of its text. */
export interface ParsedMessage<Parsed> extends Message {
  content: Array<ParsedTextBlock<Parsed> | Exclude<ContentBlock, TextBlock>>
  /** The value of the first text block; `null` without an output format or text. */
  parsed_output: Parsed | null
}

/**
 * Parses the text of a reply. Each text block gets its own `parsed_output`, which is not enumerable, so that the block can be
 * sent back unchanged; `onDeprecated` is called when its older name, `parsed`, is read. Throws if a text does not satisfy the
 * format.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { engineFetch, script } from 'colloquy/engines'
 * import { jsonSchemaOutputFormat, parseMessage } from 'colloquy/protocol'
 *
 * const format = jsonSchemaOutputFormat({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] })
 * const client = new Anthropic({ fetch: engineFetch(script(['{"city":"Oslo"}'])), apiKey: 'any' })
 * const messages = [{ role: 'user' as const, content: 'Name a city.' }]
 * const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages, output_config: { format } }
 * const message = await client.messages.create(params)
 * console.log(parseMessage(message, params).parsed_output?.city) // Oslo
 * ```
 */
export function parseMessage<Params extends Partial<ParseableParams>>(
  message: Message,
  params: Params,
  { onDeprecated }: { onDeprecated?: () => void } = {},
): ParsedMessage<ParsedOf<Params>> {
  checkArgument(message?.content, 'a list', 'the content of a message')
  const format = outputFormatOf(params)
  let first: unknown = null
  const content = message.content.map((block) => {
    if (block.type !== 'text') return block
    const parsed = format?.type === 'json_schema' ? parseText(block.text, format) : null
    first ??= parsed
    const get = (): unknown => (onDeprecated?.(), parsed)
    return Object.defineProperties({ ...block }, { parsed_output: { value: parsed }, parsed: { get } })
  })
  // Not by spread: also copy what the client attached invisibly, such as the request id.
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(message))
  return Object.assign(copy, { content, parsed_output: first }) as ParsedMessage<ParsedOf<Params>>
}

/** The output format of a request, under either name. */
export function outputFormatOf(params: Partial<ParseableParams>): JSONOutputFormat | OutputFormat<unknown> | undefined {
  return params?.output_config?.format ?? params?.output_format ?? undefined
}

function parseText(text: string, format: JSONOutputFormat | OutputFormat<unknown>): unknown {
  return 'parse' in format ? format.parse(text) : outputJson(text)
}

/** Parses the text of a reply as JSON. */
export function outputJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    throw new AnthropicError(`Failed to parse structured output as JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
