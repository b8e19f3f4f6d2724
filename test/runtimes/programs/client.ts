import Anthropic from 'colloquy'
import { imageBlock } from 'colloquy/protocol'
import { type CustomTool, jsonSchemaOutputFormat, tool } from 'colloquy/tools'
import { key } from './engine.ts'
import { type Given, type Promises, equal, failure, ok } from './promise.ts'

export const add: CustomTool<{ a: number; b: number }> = tool({
  name: 'add',
  description: 'Adds two numbers.',
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
  run: ({ a, b }) => a + b,
})

/** The behavior of the client in every runtime. */
export const clientPromises: Promises = {
  'a client in a page needs dangerouslyAllowBrowser, elsewhere it does not': async () => {
    const inPage = 'document' in globalThis
    const error = await failure(
      (async () => {
        new Anthropic({ apiKey: key }).withOptions({ maxRetries: 0 })
        throw new Error('made')
      })(),
    )
    const refused = error instanceof Anthropic.AnthropicError && error.message.includes('dangerouslyAllowBrowser')
    equal([refused, String(error)], [inPage, inPage ? String(error) : 'Error: made'])
  },
  'create() returns a reply with its request id': async (given) => {
    const message = await clientOf(given).messages.create(ask('What is 6 * 7?'))
    equal(textOf(message), '6 * 7 = 42')
    ok(message._request_id?.startsWith('req_'), 'the message has the id of its request')
  },
  'create() with stream: true yields the events in order': async (given) => {
    const types: string[] = []
    for await (const event of await clientOf(given).messages.create({ ...ask('Count to 5.'), stream: true })) {
      if (types.at(-1) !== event.type) types.push(event.type)
    }
    equal(types, [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  },
  'stream() delivers text as it arrives, and the message at the end': async (given) => {
    let heard = ''
    const stream = clientOf(given).messages.stream(ask('Count to 5.'))
    stream.on('text', (text) => (heard += text))
    let deltas = 0
    for await (const event of stream) if (event.type === 'content_block_delta') deltas++
    const message = await stream.finalMessage()
    equal(message.stop_reason, 'end_turn')
    equal(heard, textOf(message))
    ok(deltas > 1, 'the text came in pieces')
  },
  'a question of 2 MB arrives complete': async (given) => {
    const client = clientOf(given)
    const words = 'ä word '.repeat(300_000)
    const request = { model: 'claude-sonnet-4-6', messages: [{ role: 'user' as const, content: words }] }
    const { input_tokens: all } = await client.messages.countTokens(request)
    const { input_tokens: some } = await client.messages.countTokens({
      ...request,
      messages: [{ role: 'user', content: words.slice(0, 70_000) }],
    })
    ok(all > 25 * some, `${all} tokens are some thirty times ${some}`)
  },
  'models.list() reads several pages': async (given) => {
    const client = clientOf(given)
    const page = await client.models.list({ limit: 2 })
    equal([page.data.length, page.has_more], [2, true])
    const ids: string[] = []
    for await (const { id } of page) ids.push(id)
    ok(new Set(ids).size > 4, 'every page was read')
    equal((await client.models.retrieve(ids[0]!)).id, ids[0])
  },
  'an unknown model is a NotFoundError with its request id': async (given) => {
    const error = await failure(clientOf(given).messages.create({ ...ask('Hello'), model: 'claude-none' }))
    ok(error instanceof Anthropic.NotFoundError, `${String(error)} is a NotFoundError`)
    equal([error.status, error.type], [404, 'not_found_error'])
    ok(error.requestID?.startsWith('req_'), 'the error has the id of its request')
  },
  'a wrong key is an AuthenticationError': async (given) => {
    const error = await failure(clientOf(given, { apiKey: 'sk-wrong' }).messages.create(ask('Hello')))
    ok(error instanceof Anthropic.AuthenticationError, `${String(error)} is an AuthenticationError`)
  },
  'a request to an overloaded server is retried': async (given) => {
    let retries = 0
    const client = clientOf(given, { onRetry: () => void retries++ })
    await client.messages.create(ask(`Overloaded ${unique()}`))
    equal(retries, 1)
  },
  'an abort is an APIUserAbortError, and the server stops': async (given) => {
    const client = clientOf(given)
    const question = `Slowly ${unique()}: count to 500.`
    const stream = client.messages.stream(ask(question))
    stream.once('text', () => stream.abort())
    const error = await failure(stream.finalMessage())
    ok(error instanceof Anthropic.APIUserAbortError, `${String(error)} is an APIUserAbortError`)
    await hasLeft(client, question)
  },
  'leaving a loop closes the connection': async (given) => {
    const client = clientOf(given)
    const question = `Slowly ${unique()}: count to 500.`
    for await (const event of await client.messages.create({ ...ask(question), stream: true })) {
      if (event.type === 'content_block_delta') break
    }
    await hasLeft(client, question)
  },
  'a reply that breaks off is an APIStreamError with its first part': async (given) => {
    const error = await failure(
      clientOf(given)
        .messages.stream(ask(`Break ${unique()}`))
        .finalMessage(),
    )
    ok(error instanceof Anthropic.APIStreamError, `${String(error)} is an APIStreamError`)
    ok(error.partial, 'it has the part that had come')
  },
  'a reply that falls silent is an APIStreamError': async (given) => {
    const client = clientOf(given, { idleTimeout: 300 })
    const error = await failure(client.messages.stream(ask(`Stall ${unique()}`)).finalMessage())
    ok(error instanceof Anthropic.APIStreamError, `${String(error)} is an APIStreamError`)
  },
  'a request that takes too long is an APIConnectionTimeoutError': async (given) => {
    const client = clientOf(given, { timeout: 300, maxRetries: 0 })
    const error = await failure(client.messages.create(ask(`Stall ${unique()}`)))
    ok(error instanceof Anthropic.APIConnectionTimeoutError, `${String(error)} is an APIConnectionTimeoutError`)
  },
  'a missing server is an APIConnectionError': async (given) => {
    // Port 9 belongs to the discard service, which no longer exists. Browsers refuse to connect to it.
    const client = clientOf({ ...given, baseURL: 'http://127.0.0.1:9' }, { maxRetries: 0 })
    const error = await failure(client.messages.create(ask('Hello')))
    ok(error instanceof Anthropic.APIConnectionError, `${String(error)} is an APIConnectionError`)
  },
  'the tool runner runs the calls of the model': async (given) => {
    const runner = clientOf(given).beta.messages.toolRunner({ ...ask('Use add on 4711 and 815.'), tools: [add] })
    const reasons: (string | null)[] = []
    for await (const message of runner) reasons.push(message.stop_reason)
    equal(reasons, ['tool_use', 'end_turn'])
    ok(textOf(await runner).includes('5526'), 'the reply has the result')
  },
  'parse() returns a value that satisfies its schema': async (given) => {
    const format = jsonSchemaOutputFormat({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    })
    const message = await clientOf(given).messages.parse({ ...ask('Name a city.'), output_config: { format } })
    equal(typeof message.parsed_output?.name, 'string')
  },
  'an image is sent from bytes': async (given) => {
    const pixel = Uint8Array.from(atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'), (letter) =>
      letter.charCodeAt(0),
    )
    const content = [await imageBlock(pixel), { type: 'text' as const, text: 'What is this?' }]
    const message = await clientOf(given).messages.create({ ...ask(''), messages: [{ role: 'user', content }] })
    ok(/gif/i.test(textOf(message)), `${textOf(message)} names the kind of image`)
  },
}

/** Creates a client for the given server. */
export function clientOf({ baseURL }: Given, options: Anthropic.ClientOptions = {}): Anthropic {
  return new Anthropic({ baseURL, apiKey: key, dangerouslyAllowBrowser: true, ...options })
}

export interface Question {
  model: string
  max_tokens: number
  messages: Anthropic.MessageParam[]
}

export function ask(content: string): Question {
  return { model: 'claude-sonnet-4-6', max_tokens: 1024, messages: [{ role: 'user', content }] }
}

function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** Polls the engine until it reports that the client of this question has disconnected. */
async function hasLeft(client: Anthropic, question: string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (textOf(await client.messages.create(ask(`Left ${question}`))) === 'yes') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the server was not told that the client left')
}

function unique(): string {
  return crypto.randomUUID()
}
