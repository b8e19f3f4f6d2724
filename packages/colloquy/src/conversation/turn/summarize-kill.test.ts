import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { type ScriptEngine, script } from '../../engines/script.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { type Conversation, type ConversationStore, openConversations } from '../index.ts'
import { sqliteStore } from '../stores/sqlite/store.ts'

const long = 'word '.repeat(100)
const facts = 'Ada likes trains, and many other things that are worth while to be written down.'
/** The moments at which a process dies: in the middle of the summary, or after it and before the turn begins. */
const places = ['being written', 'kept'] as const

const [, , path, id, place] = process.argv
if (path !== undefined && id !== undefined) await talk(path, id, place as (typeof places)[number])
else
  for (const where of places) {
    test(`after a kill with the summary ${where}, it is used or it is not there`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      after(() => rmSync(folder, { recursive: true }))
      const file = join(folder, 'colloquy.db')
      const store = sqliteStore(file)
      const engine = summarizer(0)
      const conversations = openConversations({ engine, store, limits: {} })
      const conversation = await conversations.create({
        model: 'claude-sonnet-4-6',
        max_tokens: 100,
        window: { policy: 'summarize', atTokens: 1_000 },
      })
      while (!isSummary(conversation.preview(long))) await conversation.send(long)
      const { messages, cost } = conversation
      await talkAndDie(file, conversation.id, where)

      const again = await conversations.open(conversation.id)
      assert.deepEqual(again.messages, messages)
      assert.equal((await again.branches()).length, 1)
      // It is paid for, as far as it arrived, and its reservation is released.
      assert.ok(again.cost.picoUsd > cost.picoUsd)
      assert.equal(again.cost.estimated, where === 'being written')
      const day = new Date().toISOString().slice(0, 10)
      assert.deepEqual((await store.spending({ user: '', day })).held, { picoUsd: 0n, tokens: 0n })
      assert.deepEqual(again.messages.length, (await conversations.list())[0]!.messages - 1)
      assert.deepEqual(await conversations.search('trains'), [])

      assert.equal(isSummary(again.preview(long)), where === 'being written')
      await again.send(long)
      assert.equal(engine.requests.filter(({ params }) => isSummary(params)).length, where === 'being written' ? 1 : 0)
      assert.match(JSON.stringify(engine.requests.at(-1)!.params.messages[0]), /Ada likes trains/)
      assert.equal(again.messages.length, messages.length + 2)
      await store.close()
    })
  }

/** The process that is killed: its question needs a summary first, and it gets no further. */
async function talk(file: string, conversationId: string, where: (typeof places)[number]): Promise<void> {
  const store = where === 'kept' ? stoppedBy(sqliteStore(file)) : sqliteStore(file)
  const conversations = openConversations({
    engine: summarizer(where === 'being written' ? 20 : 0),
    store,
    journalMs: 1,
    limits: {},
  })
  const conversation: Conversation = await conversations.open(conversationId)
  if (where === 'being written') setInterval(() => void told(store, conversationId), 5)
  await conversation.send(long)
}

/** A store that records the summary and then does nothing more. */
function stoppedBy(store: ConversationStore): ConversationStore {
  const finish = store.finish.bind(store)
  store.finish = async (step) => {
    await finish(step)
    process.stdout.write('now\n')
    return new Promise(() => setInterval(() => {}, 1_000))
  }
  return store
}

async function told(store: ConversationStore, conversationId: string): Promise<void> {
  const { unfinished } = (await store.open(conversationId))!
  if (unfinished.some(({ journal }) => journal.length > 3)) process.stdout.write('now\n')
}

async function talkAndDie(...args: [file: string, conversationId: string, where: string]): Promise<void> {
  const options = process.execArgv.filter((option) => !option.startsWith('--test'))
  const child = spawn(
    process.execPath,
    [...options, '--conditions=@colloquy/source', '--no-warnings', import.meta.filename, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const gone = new Promise((resolve) => child.once('close', resolve))
  const { promise: now, resolve } = Promise.withResolvers<unknown>()
  child.stdout.once('data', resolve)
  await Promise.race([now, gone])
  assert.equal(child.exitCode, null, 'it ended by itself')
  child.kill('SIGKILL')
  await gone
}

function summarizer(eventDelayMs: number): ScriptEngine {
  return script([{ reply: facts, when: isSummary, times: 9, eventDelayMs }], { otherwise: offline() })
}

function isSummary({ messages }: MessageCreateParams): boolean {
  return JSON.stringify(messages.at(-1)!.content).includes('Write a summary of this conversation')
}
