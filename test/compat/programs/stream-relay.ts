import Anthropic from '@anthropic-ai/sdk'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { Stream } from '@anthropic-ai/sdk/streaming'

const client = new Anthropic()
const params: Omit<Anthropic.MessageCreateParamsNonStreaming, 'stream'> = {
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello' }],
}

// Relays a stream as a web server does: the browser gets lines of JSON and reads them with the same class.
const response = new Response(
  client.messages.stream(params).toReadableStream() as ConstructorParameters<typeof Response>[0],
)
const relayed = MessageStream.fromReadableStream(response.body!)
let text = ''
relayed.on('text', (delta) => (text += delta))
const message = await relayed.finalMessage()
console.log(text === (await relayed.finalText()), message.stop_reason)

const stream = await client.messages.create({ ...params, stream: true })
const [left, right] = stream.tee()
const counts = await Promise.all([left, right].map(async (half) => (await Array.fromAsync(half)).length))
console.log(counts[0] === counts[1])

const lines = (await client.messages.create({ ...params, stream: true })).toReadableStream()
const back = Stream.fromReadableStream<Anthropic.RawMessageStreamEvent>(lines, new AbortController())
const types: string[] = []
for await (const event of back) types.push(event.type)
console.log(types[0], types.at(-1))
