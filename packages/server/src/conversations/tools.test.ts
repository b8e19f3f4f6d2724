import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { script, type ScriptEngine, type ScriptedReply } from 'colloquy/engines'
import type { ContentBlock, MessageParam } from 'colloquy/protocol'
import { tool } from 'colloquy/tools'
import { conversationRoutes } from './routes.ts'
import type { ConversationJson, PreviewJson, ToolsJson } from './api.ts'

const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
const dice = tool({ name: 'dice', description: 'A number.', inputSchema: { type: 'object' }, run: () => '6' })

/** A reply that calls tools, by id and name. */
function calling(calls: Record<string, string>): ScriptedReply {
  const content = Object.entries(calls).map(([id, name]) => ({ type: 'tool_use', id, name, input: {} }))
  return { content: content as ContentBlock[], stop_reason: 'tool_use' }
}

interface Served {
  engine: ScriptEngine
  path: string
  call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>
}

/** A conversation with `clock`, which waits for a reader, and `dice`, which does not, or with other tools. */
async function serving(
  steps: ScriptedReply[],
  work: (served: Served) => Promise<void>,
  tools = [clock, dice],
): Promise<void> {
  const engine = script([...steps, 'Done.'])
  const conversations = openConversations({ engine, store: memoryStore() })
  const defaults = { model: 'claude-sonnet-4-6', max_tokens: 100 }
  const routes = conversationRoutes({
    conversations,
    defaults,
    tools: () => tools,
    runsUnasked: (name) => name === 'dice',
  })
  const { id } = await conversations.create(defaults)
  await work({
    engine,
    path: `/api/conversations/${id}`,
    async call(method, path, body) {
      const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
      const response = (await routes.answer(new Request(`http://colloquy.test${path}`, init)))!
      const text = await response.text()
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
    },
  })
  await routes.close()
  await conversations.close()
}

function lastSent({ requests }: ScriptEngine): MessageParam {
  return requests.at(-1)!.params.messages.at(-1)!
}

test('a call of a tool of the server waits until a reader runs it and sends its result', async () => {
  await serving([calling({ toolu_1: 'clock' })], async ({ engine, path, call }) => {
    assert.deepEqual((await call<ToolsJson>('GET', '/api/tools')).body.data, [
      { name: 'clock', description: 'The time.', runsUnasked: false },
      { name: 'dice', description: 'A number.', runsUnasked: true },
    ])
    await call('POST', `${path}/send`, { content: 'What time is it?' })
    assert.deepEqual(
      engine.requests[0]!.params.tools?.map((each) => 'name' in each && each.name),
      ['clock', 'dice'],
    )
    assert.deepEqual((await call<ConversationJson>('GET', path)).body.waitingCalls, ['toolu_1'])
    const result = await call('POST', `${path}/calls/toolu_1/run`)
    assert.deepEqual(result.body, { type: 'tool_result', tool_use_id: 'toolu_1', content: '12:00' })
    await call('POST', `${path}/send`, { content: [result.body] })
    assert.partialDeepStrictEqual(lastSent(engine).content, [result.body])
    assert.equal((await call('POST', `${path}/calls/toolu_1/run`)).status, 404)
  })
})

test('a tool that runs unasked continues its turn, unless another call of the reply waits', async () => {
  const steps = [calling({ toolu_1: 'dice' }), calling({ toolu_2: 'dice', toolu_3: 'clock' })]
  await serving(steps, async ({ engine, path, call }) => {
    await call('POST', `${path}/send`, { content: 'Throw' })
    assert.equal(engine.requests.length, 2)
    assert.deepEqual((await call<ConversationJson>('GET', path)).body.waitingCalls, ['toolu_2', 'toolu_3'])
  })
})

test('a call that cannot be run is refused by name', async () => {
  await serving([calling({ toolu_1: 'sextant' })], async ({ path, call }) => {
    await call('POST', `${path}/send`, {
      content: 'Where am I?',
      settings: { tools: [{ name: 'sextant', input_schema: { type: 'object' } }] },
    })
    const foreign = await call('POST', `${path}/calls/toolu_1/run`)
    assert.equal(foreign.status, 404)
    assert.match(JSON.stringify(foreign.body), /Cannot run tool sextant: it is not a tool of this server/)
    const unknown = await call('POST', `${path}/calls/toolu_9/run`)
    assert.match(JSON.stringify(unknown.body), /Cannot find call toolu_9/)
  })
})

test('two pages do not run one call twice at a time, and a failure of the tool is its result', async () => {
  const opened = Promise.withResolvers<string>()
  let runs = 0
  const slow = tool({
    name: 'slow',
    inputSchema: { type: 'object' },
    run: async () => {
      runs++
      return opened.promise
    },
  })
  await serving(
    [calling({ toolu_1: 'slow' })],
    async ({ path, call }) => {
      await call('POST', `${path}/send`, { content: 'Go' })
      const first = call('POST', `${path}/calls/toolu_1/run`)
      const second = await call('POST', `${path}/calls/toolu_1/run`)
      assert.match(JSON.stringify(second.body), /Call toolu_1 is running already/)
      opened.reject(new Error('The disk is full'))
      const { is_error, content } = (await first).body as { is_error: boolean; content: unknown }
      assert.deepEqual([is_error, runs], [true, 1])
      assert.match(JSON.stringify(content), /The disk is full/)
    },
    [slow],
  )
})

test('tools of the conversation come before those of the server, also in a preview', async () => {
  const own = { name: 'clock', input_schema: { type: 'object' } }
  await serving([], async ({ path, call }) => {
    await call('PATCH', path, { settings: { tools: [own] } })
    const { body } = await call<PreviewJson>('POST', `${path}/preview`, { content: 'Hi' })
    const { tools = [] } = body.request as { tools?: unknown[] }
    assert.deepEqual(tools[0], own)
    assert.deepEqual(Object.keys(tools[1] as object).toSorted(), ['description', 'input_schema', 'name', 'type'])
    assert.equal(tools.length, 2)
  })
})
