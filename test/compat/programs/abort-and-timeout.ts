import Anthropic, { APIConnectionTimeoutError, APIUserAbortError } from '@anthropic-ai/sdk'

const never = (_url: unknown, init?: RequestInit): Promise<Response> =>
  new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))

const hello: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user', content: 'Hi' }],
}

const slow = new Anthropic({ fetch: never, maxRetries: 1, timeout: 20 })
await slow.messages.create(hello).catch((error: unknown) => {
  console.log(error instanceof APIConnectionTimeoutError, error instanceof Anthropic.APIConnectionError)
})

const controller = new AbortController()
const pending = new Anthropic({ fetch: never }).messages.create(hello, { signal: controller.signal })
setTimeout(() => controller.abort(), 20)
await pending.catch((error: unknown) => console.log(error instanceof APIUserAbortError, (error as Error).message))

// Longer than one read of the socket: Node 22's fetch never settles a body that had arrived completely before the
// abort.
const messages = [{ role: 'user' as const, content: 'Count to 1000.' }]
const stream = new Anthropic().messages.stream({ ...hello, max_tokens: 9000, messages })
stream.once('text', () => stream.abort())
try {
  await stream.done()
} catch (error) {
  console.log(error instanceof APIUserAbortError, stream.aborted, stream.controller.signal.aborted)
}
