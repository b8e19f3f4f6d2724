import Anthropic from '@anthropic-ai/sdk'

const fetch = async (): Promise<Response> =>
  Response.json(
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [],
      model: 'm',
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    },
    {
      headers: {
        'request-id': 'req_1',
        'anthropic-ratelimit-requests-remaining': '4',
        'anthropic-ratelimit-requests-reset': '2026-11-20T00:00:00Z',
      },
    },
  )

const client = new Anthropic({ fetch, apiKey: 'any', baseURL: 'http://example.test' })
const request = client.messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
const { data, response, request_id } = await request.withResponse()
console.log(data.id, request_id, (await request)._request_id)
console.log(Number(response.headers.get('anthropic-ratelimit-requests-remaining')))
const raw: Response = await client.messages.create({ model: 'm', max_tokens: 1, messages: [] }).asResponse()
console.log(raw.status, ((await raw.json()) as { id: string }).id)
