import assert from 'node:assert/strict'
import { type TestContext, describe, test } from 'node:test'
import Anthropic from 'colloquy'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { type Engine, offline, script, upstream } from 'colloquy/engines'
import { type Message, type MessageCreateParams, accumulate } from 'colloquy/protocol'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'

// The main idea of the design: every function from a request to stream events is an engine, and callers cannot tell
// which.
const ways: Record<string, (engine: Engine, context: TestContext) => Promise<Engine>> = {
  'in process': async (engine) => engine,
  'over HTTP': overHttp,
  'proxied twice': async (engine, context) =>
    overHttp(await overHttp(await overHttp(engine, context), context), context),
}

const question: MessageCreateParams = {
  model: 'claude-sonnet-4-6',
  max_tokens: 300,
  system: 'Be brief.',
  messages: [
    { role: 'user', content: 'My name is Ada.' },
    { role: 'assistant', content: 'Hello, Ada.' },
    { role: 'user', content: 'What is my name?' },
  ],
}

for (const [way, reach] of Object.entries(ways)) {
  describe(`an engine ${way}`, () => {
    test('streams the same events', async (context) => {
      const expected = await Array.fromAsync(offline()(question))
      const events = await Array.fromAsync((await reach(offline(), context))(question))
      assert.deepEqual(events.map(withoutId), expected.map(withoutId))
    })

    test('makes the same message, which refers to the history', async (context) => {
      const expected = await accumulate(offline()(question))
      const message = await accumulate((await reach(offline(), context))(question))
      assert.deepEqual({ ...message, id: '' }, { ...expected, id: '' })
      assert.match(textOf(message), /Ada/)
    })

    test('counts the same tokens', async (context) => {
      const { model, messages, system } = question
      const engine = await reach(offline(), context)
      const params = { model, messages, ...(system === undefined ? {} : { system }) }
      assert.deepEqual(await engine.countTokens?.(params), await offline().countTokens?.(params))
    })

    test('fails with the same text', async (context) => {
      const engine = await reach(script([{ error: { type: 'overloaded_error' } }]), context)
      await assert.rejects(Array.fromAsync(engine(question)), {
        name: 'OverloadedError',
        status: 529,
        type: 'overloaded_error',
        apiMessage: 'Overloaded',
      })
    })

    test('stops when the caller aborts', { timeout: 120_000 }, async (context) => {
      const { engine, stopped } = endless()
      const controller = new AbortController()
      const events = (await reach(engine, context))(question, { signal: controller.signal })
      await assert.rejects(async () => {
        for await (const event of events) if (event.type === 'content_block_delta') controller.abort()
      })
      await stopped
    })

    test('answers a conversation', async (context) => {
      const conversations = openConversations({ engine: await reach(offline(), context), store: memoryStore() })
      const conversation = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 300 })
      await conversation.send('My name is Ada.')
      const reply = await conversation.send('What is my name?')
      assert.match(reply.text, /Ada/)
    })
  })
}

/** Puts a server and a client with real sockets in front of the engine. */
async function overHttp(engine: Engine, context: TestContext): Promise<Engine> {
  const listening = await listen(createServer({ engine }), { port: 0 })
  context.after(() => listening.close())
  return upstream(new Anthropic({ baseURL: listening.url, apiKey: 'any', maxRetries: 0 }))
}

/** An engine that writes until it is stopped, and a promise that resolves then. */
function endless(): { engine: Engine; stopped: Promise<void> } {
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  async function* engine(...[params, { signal } = {}]: Parameters<Engine>): ReturnType<typeof events> {
    yield* events(params, signal)
  }
  async function* events(params: MessageCreateParams, signal: AbortSignal | undefined) {
    try {
      for await (const event of offline()({ ...params, max_tokens: 50 })) {
        if (event.type !== 'content_block_delta') yield event
        while (event.type === 'content_block_delta') {
          signal?.throwIfAborted()
          yield event
          await new Promise((next) => setTimeout(next, 5))
        }
      }
    } finally {
      resolve()
    }
  }
  return { engine, stopped }
}

function withoutId<Event extends { type: string }>(event: Event): unknown {
  if (!('message' in event)) return event
  return { ...event, message: { ...(event.message as Message), id: '' } }
}

function textOf(message: Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
