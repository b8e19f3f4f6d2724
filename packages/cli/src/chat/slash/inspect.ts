import { formatUsd } from 'colloquy/protocol'
import { countText, tokenText } from '../../format.ts'
import { safeJson } from '../../terminal/safe-text.ts'
import { currentSettings, print, say, type Effect } from '../chat-state.ts'
import { totalTokens } from '../reply/cost-line.ts'
import { textOf } from '../content/transcript.ts'
import { windowTokens } from '../settings/settings.ts'
import { lastReply, openConversation, type SlashInput } from './command.ts'

export function cost(input: SlashInput): Effect[] {
  const { usage } = openConversation(input)
  const written = usage.cache_creation
  const rows: [string, string][] = [
    ['requests', String(usage.calls)],
    ['input', tokenText(usage.input_tokens)],
    ['cache read', tokenText(usage.cache_read_input_tokens)],
    ['cache written, 5 minutes', tokenText(written.ephemeral_5m_input_tokens)],
    ['cache written, 1 hour', tokenText(written.ephemeral_1h_input_tokens)],
    ['output', tokenText(usage.output_tokens)],
    ['searches', String(usage.server_tool_use.web_search_requests)],
  ]
  const { picoUsd, estimated, unpriced } = usage.cost
  if (unpriced < usage.calls) rows.push(['cost', `${estimated ? '≈ ' : ''}${formatUsd(picoUsd)}`])
  if (unpriced > 0) {
    rows.push(['without a price', `${countText(unpriced, 'request')}: local, or the model has no known price`])
  }
  return [say(...rows.map(([name, value]) => `  ${name.padEnd(26)}${value}`))]
}

export function tools({ context: { tools: found } }: SlashInput): Effect[] {
  if (found === undefined) return [say('This chat has no tools: --mcp FILE gives it those of MCP servers.')]
  if (found.names.length === 0) return [say('The MCP servers have no tools.')]
  return [say(...found.lines.map((line) => `  ${line}`), '', '  ✓ is called without asking')]
}

export function context(input: SlashInput): Effect[] {
  const { usage } = lastReply(input)
  const { model, max_tokens: maxTokens } = currentSettings(input.state)
  const window = windowTokens(input.context.connection.kind, model)
  const used = usage === undefined ? 0 : totalTokens(usage)
  const share = window === undefined ? '' : ` of ${tokenText(window)}, ${((used / window) * 100).toFixed(1)}%`
  const messages = countText(openConversation(input).messages.length, 'message')
  return [say(`${tokenText(used)} tokens${share} · ${messages} · a reply may take ${tokenText(maxTokens)}`)]
}

export function inspect(input: SlashInput): Effect[] {
  const { params, requestId } = input.context.connection.latest
  if (params === undefined) return [say('Nothing has been sent yet.')]
  const request = [say(`request${requestId === undefined ? '' : ` ${requestId}`}:`), printJson(params)]
  const reply = openConversation(input).messages.findLast(({ role }) => role === 'assistant')
  if (reply === undefined) return request
  const { model, stopReason, usage, content } = reply
  return [...request, say('response:'), printJson({ model, stop_reason: stopReason, usage, content })]
}

export function raw(input: SlashInput): Effect[] {
  return [print(textOf(lastReply(input)))]
}

function printJson(value: unknown): Effect {
  return print(safeJson(value, 2))
}
