import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from 'colloquy'
import { openConversations } from 'colloquy/conversation'
import { type Engine, script } from 'colloquy/engines'
import type { MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { createServer } from '@colloquy/server'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const answer = 'The answer is forty-two, as everybody knows by now, and nobody asked for the question.'
const cut = { reply: answer, after: 8, cut: 'reset' } as const

function clientOf(engine: Engine): Anthropic {
  const { fetch } = createServer({ engine })
  return new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: 'any', maxRetries: 0 })
}

test('a conversation continues a stream that breaks off, as one reply', async () => {
  async function* rest(...asked: Parameters<Engine>): AsyncGenerator<MessageStreamEvent | PingEvent> {
    assert.equal(asked[0].messages.at(-1)?.role, 'user')
    yield* script([answer])(...asked)
  }
  const engine = script([cut], { otherwise: rest })
  const conversation = await openConversations({ client: clientOf(engine) }).create(settings)
  const turn = conversation.send('What is the answer?')
  const text = (await Array.fromAsync(turn.text)).join('')
  assert.equal(text, (await turn).text)
  assert.equal(engine.requests.length, 2)
  assert.deepEqual(
    conversation.messages.map(({ state }) => state),
    ['committed', 'committed'],
  )
})

test('a conversation with recover: 0 keeps the part that arrived, and fails', async () => {
  const engine = script([cut, 'Never asked.'])
  const conversation = await openConversations({ client: clientOf(engine), recover: 0 }).create(settings)
  await assert.rejects(async () => conversation.send('What is the answer?'), { name: 'APIStreamError' })
  assert.equal(engine.requests.length, 1)
  assert.deepEqual(
    conversation.messages.map(({ state }) => state),
    ['committed', 'interrupted'],
  )
})
