import type { Attribute } from './open-telemetry.ts'

type Attributes = Record<string, Attribute>
/** The name of an attribute, and the fields that lead to its value. */
type Rule = readonly [string, 'string' | 'number', ...string[]]

const requestRules: readonly Rule[] = [
  ['gen_ai.request.model', 'string', 'model'],
  ['gen_ai.request.max_tokens', 'number', 'max_tokens'],
  ['gen_ai.request.reasoning.level', 'string', 'output_config', 'effort'],
  ['anthropic.request.service_tier', 'string', 'service_tier'],
  ['anthropic.thinking.type', 'string', 'thinking', 'type'],
  ['anthropic.thinking.budget_tokens', 'number', 'thinking', 'budget_tokens'],
]

/** The attributes that `message_start` already has. */
const startRules: readonly Rule[] = [
  ['gen_ai.response.id', 'string', 'id'],
  ['gen_ai.response.model', 'string', 'model'],
  ['gen_ai.usage.cache_write.input_tokens', 'number', 'usage', 'cache_creation_input_tokens'],
  ['gen_ai.usage.cache_read.input_tokens', 'number', 'usage', 'cache_read_input_tokens'],
  [
    'anthropic.usage.cache_creation.ephemeral_5m_input_tokens',
    'number',
    'usage',
    'cache_creation',
    'ephemeral_5m_input_tokens',
  ],
  [
    'anthropic.usage.cache_creation.ephemeral_1h_input_tokens',
    'number',
    'usage',
    'cache_creation',
    'ephemeral_1h_input_tokens',
  ],
  ['anthropic.response.service_tier', 'string', 'usage', 'service_tier'],
]

/** The attributes that `message_delta` has. */
const endRules: readonly Rule[] = [
  ['gen_ai.usage.output_tokens', 'number', 'usage', 'output_tokens'],
  ['gen_ai.usage.reasoning.output_tokens', 'number', 'usage', 'output_tokens_details', 'thinking_tokens'],
  ['anthropic.message.stop_reason', 'string', 'stop_reason'],
]

/** The attributes of a call's parameters. */
export function requestAttributes(name: string, body: unknown): Attributes {
  switch (name) {
    case 'anthropic.messages.create': {
      const isJson = fieldAt(body, ['output_config', 'format', 'type']) === 'json_schema'
      return {
        'gen_ai.operation.name': 'chat',
        ...applied(requestRules, body),
        ...(isJson && { 'gen_ai.output.type': 'json' }),
        ...(fieldAt(body, ['stream']) === true && { 'gen_ai.request.stream': true }),
      }
    }
    case 'anthropic.messages.count_tokens':
      return applied(requestRules.slice(0, 1), body)
    case 'anthropic.messages.batches.create': {
      const requests = fieldAt(body, ['requests'])
      return Array.isArray(requests) ? { 'anthropic.message.batch.request_count': requests.length } : {}
    }
    default:
      return {}
  }
}

/** The attributes of a message, or of the part of it that arrived. */
export function messageAttributes(message: unknown, isComplete: boolean): Attributes {
  const usage = fieldAt(message, ['usage'])
  const compactions = listAt(usage, 'iterations').filter((call) => fieldAt(call, ['type']) === 'compaction')
  return {
    ...applied(startRules, message),
    ...(typeof fieldAt(usage, ['input_tokens']) === 'number' && { 'gen_ai.usage.input_tokens': inputTokens(usage) }),
    ...(isComplete && applied(endRules, message)),
    ...(isComplete &&
      compactions.length > 0 && {
        'anthropic.usage.compaction.input_tokens': sumOf(compactions.map(inputTokens)),
        'anthropic.usage.compaction.output_tokens': sumOf(compactions.map((call) => numberAt(call, 'output_tokens'))),
      }),
  }
}

/** The attributes of a token count. */
export function countAttributes(count: unknown): Attributes {
  return applied([['anthropic.message.count_tokens.input_tokens', 'number', 'input_tokens']], count)
}

/** The value that fields lead to, or undefined. */
export function fieldAt(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

function applied(rules: readonly Rule[], value: unknown): Attributes {
  const found: Attributes = {}
  for (const [name, type, ...path] of rules) {
    const field = fieldAt(value, path)
    if (typeof field === type) found[name] = field as string | number
  }
  return found
}

function inputTokens(usage: unknown): number {
  return sumOf(
    ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'].map((name) => numberAt(usage, name)),
  )
}

function numberAt(value: unknown, name: string): number {
  const field = fieldAt(value, [name])
  return typeof field === 'number' ? field : 0
}

function listAt(value: unknown, name: string): unknown[] {
  const field = fieldAt(value, [name])
  return Array.isArray(field) ? field : []
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
