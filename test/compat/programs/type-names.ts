import type Anthropic from '@anthropic-ai/sdk'

// Uses types only: this program tests what compiles.
const tool: Anthropic.Messages.Tool = { name: 'a', input_schema: { type: 'object' as const, properties: {} } }
const choice: Anthropic.ToolChoice = { type: 'tool', name: tool.name }
const server: Anthropic.ToolUnion[] = [
  tool,
  { type: 'web_search_20260318', name: 'web_search' } satisfies Anthropic.WebSearchTool20260318,
]
const cache: Anthropic.CacheControlEphemeral = { type: 'ephemeral', ttl: '1h' }
const system: Anthropic.TextBlockParam[] = [{ type: 'text', text: 'Be brief.', cache_control: cache }]
const model: Anthropic.Model = 'claude-sonnet-4-6'
const user: Anthropic.UserMessageParam = { role: 'user', content: 'Hi' }
const assistant: Anthropic.AssistantMessageParam = { role: 'assistant', content: 'Hello' }
const messages: Anthropic.MessageParam[] = [user, assistant, user]
const params: Anthropic.MessageCreateParams = {
  model,
  max_tokens: 10,
  messages,
  system,
  tools: server,
  tool_choice: choice,
}
const beta: Anthropic.Beta.Messages.BetaMessageParam = { role: 'user', content: [{ type: 'text', text: 'Hi' }] }
const betas: Anthropic.Beta.AnthropicBeta[] = ['context-1m-2025-08-07', 'brand-new-2027-01-01']
const config: Anthropic.OutputConfig = { effort: 'high' }
const reason: Anthropic.StopReason = 'end_turn'
const result: Anthropic.ToolResultBlockParam = {
  type: 'tool_result',
  tool_use_id: 't',
  content: [{ type: 'text', text: 'x' }],
  is_error: false,
}
const metadata: Anthropic.Metadata = { user_id: null }

type Reply = Awaited<ReturnType<Anthropic['messages']['create']>>
type Event = Anthropic.MessageStreamEvent
type Delta = Extract<Event, { type: 'content_block_delta' }>['delta']
const delta: Delta = { type: 'text_delta', text: 'x' } satisfies Anthropic.TextDelta
const start: Anthropic.ContentBlockStartEvent['content_block'] = { type: 'text', text: '', citations: null }
const isMessage = (reply: Reply): reply is Anthropic.Message => 'content' in reply

console.log(JSON.stringify([params, beta, betas, config, reason, result, metadata, delta, start]), typeof isMessage)
