import { checkArgument } from '../protocol/json/option-names.ts'
import type { Usage, UsageIteration } from '../protocol/types/message.ts'

/**
 * Adds the usage of two replies. Tokens and requests are added by kind; tier, region and speed are those of the later reply.
 * `iterations` lists each model call, as the API does for a request with several.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { addUsage } from 'colloquy/tools'
 *
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }
 * const client = new Anthropic()
 * const [first, second] = [await client.messages.create(request), await client.messages.create(request)]
 * const { input_tokens } = addUsage(first.usage, second.usage)
 * console.log(input_tokens === first.usage.input_tokens + second.usage.input_tokens) // true
 * ```
 */
export function addUsage(earlier: Usage, later: Usage): Usage {
  for (const usage of [earlier, later]) checkArgument(usage, 'an object', 'a usage')
  return {
    ...earlier,
    ...later,
    ...sums(earlier, later, [
      'input_tokens',
      'output_tokens',
      'cache_creation_input_tokens',
      'cache_read_input_tokens',
    ]),
    ...combined('cache_creation', earlier, later, ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens']),
    ...combined('output_tokens_details', earlier, later, ['thinking_tokens']),
    ...combined('server_tool_use', earlier, later, ['web_search_requests', 'web_fetch_requests']),
    iterations: [...iterationsOf(earlier), ...iterationsOf(later)],
  }
}

type Counts = { [name: string]: unknown }

// A count that both lack stays null or absent: null means "does not apply", not 0.
function sums(earlier: object, later: object, names: string[]): Counts {
  const [a, b] = [earlier as Counts, later as Counts]
  const known = names.filter((name) => typeof a[name] === 'number' || typeof b[name] === 'number')
  return Object.fromEntries(known.map((name) => [name, numberOf(a[name]) + numberOf(b[name])]))
}

function combined(name: keyof Usage, earlier: Usage, later: Usage, names: string[]): Counts {
  const [a, b] = [earlier[name], later[name]]
  if (!a || !b) return a || b ? { [name]: a ?? b } : {}
  return { [name]: { ...(a as object), ...(b as object), ...sums(a as object, b as object, names) } }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** Each model call of a reply. */
export function iterationsOf(usage: Usage): UsageIteration[] {
  return usage.iterations?.length ? usage.iterations : [iterationOf('message', usage)]
}

/** A model call as an entry of `iterations`. */
export function iterationOf(type: UsageIteration['type'], usage: Usage): UsageIteration {
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, cache_creation, output_tokens } = usage
  return {
    type,
    input_tokens,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    ...(cache_creation === undefined ? {} : { cache_creation }),
    output_tokens,
  }
}
