import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { type ScriptEngine, script } from '../../engines/script.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { type Conversation } from '../conversation.ts'
import { openConversations } from '../collection/conversations.ts'
import type { ConversationSettings } from '../settings.ts'

const long = 'The history of Japan is long and full of turns. '.repeat(200)
const settings: ConversationSettings = { model: 'claude-sonnet-5', max_tokens: 50, system: long }

/** The offline engine counts cache reads and writes by the API's rules. */
function recording(): ScriptEngine {
  return script([], { otherwise: offline() })
}

async function open(engine: ScriptEngine, options: { cacheMarks?: boolean } = {}): Promise<Conversation> {
  return openConversations({ engine, ...options }).create(settings)
}

function marksIn(params: MessageCreateParams): (string | undefined)[] {
  const found = JSON.stringify([params.system, params.messages]).matchAll(
    /"cache_control":\{"type":"ephemeral"(?:,"ttl":"(1h)")?\}/g,
  )
  return [...found].map(([, ttl]) => ttl ?? '5m')
}

test('the second turn reads what the first one wrote, and reports it', async () => {
  const engine = recording()
  const conversation = await open(engine)
  const first = await conversation.send(long)
  assert.ok(first.cache && first.cache.writtenTokens > 3000 && first.cache.expectedReadTokens === 0)
  const second = await conversation.send('And then?')
  assert.equal(second.cache?.expectedReadTokens, first.cache.writtenTokens)
  assert.equal(second.cache.readTokens, first.cache.writtenTokens)
  assert.equal(second.cache.missed, false)
  assert.deepEqual(
    engine.requests.map(({ params }) => marksIn(params)[0]),
    ['1h', '1h'],
  )
  assert.ok(engine.requests.every(({ params }) => marksIn(params).length === 2))
})

test('stored messages have no cache breakpoints', async () => {
  const conversation = await open(recording())
  await conversation.send(long)
  const kept = conversation.messages.map(({ content }) => content)
  assert.doesNotMatch(JSON.stringify([kept, conversation.settings]), /cache_control/)
})

test('an entry that was evicted early is a miss', async () => {
  const engine = script([], { otherwise: offline() })
  let instance = offline()
  const forgetful = Object.assign((...asked: Parameters<typeof engine>) => instance(...asked), {})
  const conversation = await openConversations({ engine: forgetful }).create(settings)
  await conversation.send(long)
  instance = offline()
  const { cache } = await conversation.send('And then?')
  assert.equal(cache?.missed, true)
  assert.equal(cache.readTokens, 0)
})

test('other settings and an earlier message are not a miss', async () => {
  const conversation = await open(recording())
  const { parentId } = await conversation.send(long)
  await conversation.configure({ system: `Be brief. ${long}` })
  assert.equal((await conversation.send('And then?')).cache?.expectedReadTokens, 0)
  assert.equal((await conversation.edit(parentId!, `Tell me more. ${long}`)).cache?.expectedReadTokens, 0)
})

test("the user's own breakpoints are the only ones", async () => {
  const engine = recording()
  const conversation = await open(engine)
  await conversation.send([{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }])
  assert.equal((await conversation.send('And then?')).cache, undefined)
  assert.deepEqual(
    engine.requests.map(({ params }) => marksIn(params)),
    [['5m'], ['5m']],
  )
})

test('a new conversation expects the pauses of earlier ones', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 10, 20) })
  const engine = script([], { otherwise: offline() })
  const conversations = openConversations({ engine })
  const tailOf = async (): Promise<string | undefined> => {
    await (await conversations.create(settings)).send(long)
    return marksIn(engine.requests.at(-1)!.params).at(-1)
  }
  /** Takes four turns in each of some conversations, with equal pauses. */
  const talk = async (count: number, pauseMs: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const conversation = await conversations.create(settings)
      for (let turn = 0; turn < 4; turn++) {
        await conversation.send('And then?')
        context.mock.timers.tick(pauseMs)
      }
    }
  }
  assert.equal(await tailOf(), '5m')
  await talk(8, 20 * 60_000)
  assert.equal(await tailOf(), '1h')
  await talk(60, 60_000)
  assert.equal(await tailOf(), '5m')
})

test('no breakpoints are placed if switched off or if the model is unknown', async () => {
  const engine = recording()
  const unmarked = await open(engine, { cacheMarks: false })
  assert.equal((await unmarked.send(long)).cache, undefined)
  const unknown = await openConversations({ engine }).create({ ...settings, model: 'llama-3' })
  assert.equal((await unknown.send(long)).cache, undefined)
  assert.deepEqual(
    engine.requests.map(({ params }) => marksIn(params)),
    [[], []],
  )
})
