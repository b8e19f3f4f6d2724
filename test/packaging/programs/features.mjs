// Uses every part of the client, and reports the outcome of each.
import Anthropic, { MessageStream, toFile } from 'colloquy'
import { contentBlock, costOf, imageBlock } from 'colloquy/protocol'
import { jsonSchemaOutputFormat, tool } from 'colloquy/tools'
import { answer } from './answer.cjs'

const client = new Anthropic({ apiKey: 'any', baseURL: 'http://colloquy.test', fetch: answer, maxRetries: 1 })
const request = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user', content: 'Hello \ud83d' }] }
const pixel = Uint8Array.from(atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'), (c) => c.charCodeAt(0))
const schema = { type: 'object', properties: {}, additionalProperties: false }
const greet = tool({ name: 'greet', description: 'Greets.', inputSchema: schema, run: () => 'Hello' })
const textOf = ({ content }) => content[0].text

const features = {
  canParse: () => typeof URL.canParse,
  create: async () => textOf(await client.messages.create(request)),
  withResponse: async () => (await client.messages.create(request).withResponse()).response.status,
  events: async () => {
    const types = []
    for await (const { type } of await client.messages.create({ ...request, stream: true })) types.push(type)
    return types.length
  },
  stream: () => client.messages.stream(request).finalText(),
  readableStream: async () => {
    const stream = client.messages.stream(request).toReadableStream()
    return textOf(await MessageStream.fromReadableStream(stream).finalMessage())
  },
  listeners: () => new Promise((resolve) => client.messages.stream(request).on('text', resolve)),
  abort: () => {
    const stream = client.messages.stream(request)
    stream.abort()
    return stream.finalMessage().catch(({ name }) => name)
  },
  signal: () => client.messages.create(request, { signal: AbortSignal.abort() }).catch(({ name }) => name),
  parse: async () => {
    const output_config = { format: jsonSchemaOutputFormat(schema) }
    return client.messages.parse({ ...request, output_config }).catch(({ name }) => name)
  },
  toolRunner: async () => textOf(await client.beta.messages.toolRunner({ ...request, tools: [greet] })),
  notFound: () => client.models.retrieve('none').catch(({ name }) => name),
  thread: async () => textOf(await client.beta.messages.thread(request).send({ role: 'user', content: 'Hello' })),
  image: async () => (await imageBlock(pixel)).source.media_type,
  dataUrl: async () => (await contentBlock(`data:image/gif;base64,${btoa(String.fromCharCode(...pixel))}`)).type,
  wrongUrl: () => contentBlock('https://').catch(({ name }) => name),
  file: async () => (await toFile(pixel, 'a.gif')).size,
  cost: () => String(costOf({ input_tokens: 1, output_tokens: 1 }, 'claude-sonnet-4-6').picoUsd),
}

const outcomes = {}
for (const [name, run] of Object.entries(features)) {
  outcomes[name] = await Promise.resolve()
    .then(run)
    .catch((error) => `${error.stack}`)
}
console.log(JSON.stringify(outcomes))
