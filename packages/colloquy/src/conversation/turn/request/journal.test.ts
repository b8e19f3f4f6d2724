import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ContentBlockStartEvent, MessageStreamEvent } from '../../../protocol/types/event.ts'
import { parseEvent } from '../../../protocol/codec/event-stream.ts'
import type { Message } from '../../../protocol/types/message.ts'
import { Journal, readJournal } from './journal.ts'
import { memoryStore } from '../../stores/memory/store.ts'
import { ReplyBuilder, blockJson } from '../../history/reply-builder.ts'
import type { ConversationStore, JournalStep } from '../../stores/store.ts'

const message = {
  content: [],
  usage: { input_tokens: 1, output_tokens: 1 },
} as unknown as Message

function text(piece: string, index = 0): MessageStreamEvent {
  return { type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece } }
}

function start(context: TestContext, fail?: Error): { journal: Journal; steps: JournalStep[]; failures: unknown[] } {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const steps: JournalStep[] = []
  const failures: unknown[] = []
  const store: ConversationStore = memoryStore()
  store.journal = async (step) => {
    if (fail) throw fail
    steps.push(step)
    return false
  }
  const onError = (error: unknown): number => failures.push(error)
  const journal = new Journal(store, { handle: 7, intervalMs: 250, onError, onStop: () => {} })
  return { journal, steps, failures }
}

async function tick(context: TestContext, ms: number): Promise<void> {
  context.mock.timers.tick(ms)
  await Promise.resolve()
  await Promise.resolve()
}

test('Journal writes events within 250 ms, with adjacent deltas joined', async (context) => {
  const { journal, steps } = start(context)
  journal.push(text('one '))
  await tick(context, 200)
  journal.push(text('two '))
  journal.push(text('\ud83d'))
  journal.push(text('\ude00'))
  journal.push(text('other block', 1))
  await tick(context, 49)
  assert.equal(steps.length, 0)
  await tick(context, 1)
  assert.deepEqual(
    steps.map(({ handle, index }) => [handle, index]),
    [[7, 0]],
  )
  assert.deepEqual(readJournal([steps[0]!.json]), [text('one two 😀'), text('other block', 1)])

  journal.push(text('three'))
  await tick(context, 250)
  assert.deepEqual(
    steps.map(({ index }) => index),
    [0, 1],
  )
  assert.deepEqual(readJournal(steps.map(({ json }) => json)).at(-1), text('three'))
  await journal.close()
})

test('Journal writes blocks and citations as the text that arrived', async (context) => {
  const { journal, steps } = start(context)
  const block = '{"type":"web_search_tool_result","content":{"10":1.0,"2":12345678901234567890}}'
  const citation = '{"b":1e2,"1":-0}'
  const texts = [
    `{"type":"content_block_start","index":0,"content_block":${block}}`,
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":[]}}',
    `{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":${citation}}}`,
  ]
  for (const data of texts) journal.push(parseEvent({ event: undefined, data }) as MessageStreamEvent)
  await tick(context, 250)
  assert.equal(steps[0]!.json, `[${texts.join(',')}]`)

  const builder = new ReplyBuilder()
  builder.push({ type: 'message_start', message })
  for (const event of readJournal([steps[0]!.json])) builder.push(event)
  const text = `{"type":"text","text":"","citations":[${citation}]}`
  assert.deepEqual(builder.blocks.map(blockJson), [block, text])
  await journal.close()
})

test('blockJson() writes a block that has changed by its value', () => {
  const builder = new ReplyBuilder()
  builder.push({ type: 'message_start', message })
  const data = '{"type":"content_block_start","index":0,"content_block":{"type":"x","a":1.0,"b":2.0}}'
  const event = parseEvent({ event: undefined, data }) as ContentBlockStartEvent
  Object.assign(event.content_block, { b: 3 })
  builder.push(event)
  assert.deepEqual(builder.blocks.map(blockJson), ['{"type":"x","a":1.0,"b":3}'])
})

test('Journal gives a sign of life each second while nothing arrives', async (context) => {
  const { journal, steps } = start(context)
  await tick(context, 1_000)
  await tick(context, 1_000)
  assert.deepEqual(
    steps.map(({ index, json }) => [index, json]),
    [
      [0, ''],
      [0, ''],
    ],
  )
  await journal.close()
  await tick(context, 60_000)
  assert.equal(steps.length, 2)
})

test('Journal reports that another process wants the reply to be stopped', async () => {
  const store = memoryStore()
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  const begun = await store.begin({ id: 'one', version: 1, parent: 0, messages: [], at: 2 })
  assert.ok(!begun.repeated)
  const stopped = Promise.withResolvers<void>()
  const onError = (error: unknown): void => assert.fail(String(error))
  const journal = new Journal(store, { handle: begun.handle, intervalMs: 5, onError, onStop: stopped.resolve })
  assert.deepEqual(await store.stop('one'), [begun.reply])
  journal.push(text('one'))
  await stopped.promise
  await journal.close()
})

test('Journal reports errors of the store', async (context) => {
  const full = new Error('full')
  const { journal, failures } = start(context, full)
  journal.push(text('one'))
  await tick(context, 250)
  await journal.close()
  assert.deepEqual(failures, [full])
})
