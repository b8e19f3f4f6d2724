import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MessageStreamEvent } from '../protocol/event.ts'
import { Journal, readJournal } from './journal.ts'
import { memoryStore } from './memory.ts'
import type { ConversationStore, JournalStep } from './store.ts'

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
  }
  const journal = new Journal(store, { handle: 7, intervalMs: 250 }, (error) => failures.push(error))
  return { journal, steps, failures }
}

async function tick(context: TestContext, ms: number): Promise<void> {
  context.mock.timers.tick(ms)
  await Promise.resolve()
  await Promise.resolve()
}

test('what arrives is written 250 ms after the first of it came, neighbouring deltas joined', async (context) => {
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

test('a reply that is silent gives signs of life', async (context) => {
  const { journal, steps } = start(context)
  await tick(context, 10_000)
  await tick(context, 10_000)
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

test('what the store refuses is told', async (context) => {
  const full = new Error('full')
  const { journal, failures } = start(context, full)
  journal.push(text('one'))
  await tick(context, 250)
  await journal.close()
  assert.deepEqual(failures, [full])
})
