import Anthropic from '@anthropic-ai/sdk'

// Imitates an API that keeps one thread.
const turns: string[] = []
async function fetch(_url: unknown, init?: RequestInit): Promise<Response> {
  const { thread, messages, system } = JSON.parse(String(init?.body)) as Record<string, unknown> & {
    messages: unknown[]
  }
  turns.push(
    `${JSON.stringify(thread)} ${messages.length} ${system !== undefined} ${new Headers(init?.headers).get('anthropic-beta')}`,
  )
  return Response.json({
    id: `msg_${turns.length}`,
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: `reply ${turns.length}` }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 1 },
  })
}

const client = new Anthropic({ fetch, apiKey: 'any', baseURL: 'http://example.test' })
const thread = client.beta.messages.thread({ model: 'claude-sonnet-4-6', max_tokens: 100, system: 'Be brief.' })
const first: Anthropic.Beta.Messages.BetaMessage = await thread.send({ role: 'user', content: 'One?' })
console.log(first.id, thread.previousMessageId)
thread.append({ role: 'user', content: 'Two?' })
await thread.send()
const fork = thread.fork()
await fork.send({ role: 'user', content: 'Three?' })
console.log(thread.messages.length, fork.messages.length)
console.log(turns.join('\n'))
