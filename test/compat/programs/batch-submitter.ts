import Anthropic from '@anthropic-ai/sdk'
import type { MessageBatch, MessageBatchIndividualResponse } from '@anthropic-ai/sdk/resources/messages/batches'

// Imitates the API, as tests of such programs do.
const batch = {
  id: 'msgbatch_1',
  type: 'message_batch',
  processing_status: 'in_progress',
  request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
  results_url: null as string | null,
}
async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(input instanceof Request ? input.url : input)
  console.log(init?.method ?? 'GET', pathname)
  if (pathname.endsWith('/results')) {
    const result = { type: 'succeeded', message: { content: [{ type: 'text', text: 'Yes' }] } }
    const lines = [
      { custom_id: 'q-0', result },
      { custom_id: 'q-1', result: { type: 'expired' } },
    ]
    return new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), {
      headers: { 'content-type': 'application/x-jsonl' },
    })
  }
  const answer = { ...batch }
  batch.processing_status = 'ended'
  batch.results_url = 'http://example.test/v1/messages/batches/msgbatch_1/results'
  return Response.json(answer)
}

const client = new Anthropic({ fetch, baseURL: 'http://example.test', apiKey: 'any' })

async function submit(questions: string[]): Promise<MessageBatch> {
  let batch = await client.messages.batches.create({
    requests: questions.map((content, index) => ({
      custom_id: `q-${index}`,
      params: { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content }] },
    })),
  })
  while (batch.processing_status !== 'ended') batch = await client.messages.batches.retrieve(batch.id)
  return batch
}

function show({ custom_id, result }: MessageBatchIndividualResponse): string {
  switch (result.type) {
    case 'succeeded':
      return `${custom_id}: ${result.message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')}`
    case 'errored':
      return `${custom_id}: ${result.error.error.message}`
    case 'canceled':
    case 'expired':
      return `${custom_id}: ${result.type}`
    default:
      return custom_id
  }
}

const { id } = await submit(['One?', 'Two?'])
for await (const result of await client.messages.batches.results(id)) console.log(show(result))
