import Anthropic, { APIConnectionError, APIError, NotFoundError } from '@anthropic-ai/sdk'

function explain(error: unknown): string {
  if (error instanceof Anthropic.AuthenticationError) return 'check the key'
  if (error instanceof NotFoundError) return `not found (${error.status}, ${error.type})`
  if (error instanceof Anthropic.RateLimitError) return `wait ${error.headers.get('retry-after') ?? 'a while'}`
  if (error instanceof Anthropic.BadRequestError) return `bad request: ${error.apiMessage ?? error.message}`
  if (error instanceof Anthropic.InternalServerError) return `try later (${error.status})`
  if (error instanceof APIConnectionError) return 'no connection'
  if (error instanceof APIError) return `${error.status ?? 'no status'}: ${error.message}`
  if (error instanceof Error) return `${error.name}: ${error.message}`
  return String(error)
}

async function attempt(what: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
    console.log(what, 'fine')
  } catch (error) {
    console.log(what, explain(error))
  }
}

const client = new Anthropic({ maxRetries: 0 })
const ask = (params: Partial<Anthropic.MessageCreateParamsNonStreaming>): Promise<Anthropic.Message> =>
  client.messages.create({
    model: 'claude-sonnet-4-6',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
    ...params,
  })

await attempt('a request', () => ask({}))
await attempt('no messages', () => ask({ messages: [] }))
await attempt('an unknown model', () => ask({ model: 'claude-nonesuch' }))
await attempt('an unknown field', () => ask({ nonsense: true } as object))
await attempt('nobody there', () =>
  new Anthropic({ baseURL: 'http://127.0.0.1:1', maxRetries: 0 }).messages.create({
    model: 'm',
    max_tokens: 1,
    messages: [],
  }),
)
for (const status of [401, 429, 500, 529]) {
  const fetch = async (): Promise<Response> =>
    Response.json(
      { type: 'error', error: { type: 'some_error', message: 'No' } },
      { status, headers: { 'retry-after': '7' } },
    )
  const failing = new Anthropic({ maxRetries: 0, fetch })
  await attempt(`status ${status}`, () => failing.messages.countTokens({ model: 'm', messages: [] }))
}
