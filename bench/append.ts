import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Conversation, type ConversationStore, type Conversations, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { format, measure } from './run.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }
const question = 'a question of a kilobyte '.repeat(40)
const answer = 'an answer of a kilobyte. '.repeat(40)
const turns = 200

/**
 * What keeping a conversation costs, beside the same rows written by hand. By hand, too, the question is written before the
 * request leaves (`synchronous = NORMAL`) and the reply survives the loss of power (`FULL`): two transactions a turn.
 */
export async function* report(): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
  try {
    yield await append(folder)
    yield await load(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function append(folder: string): Promise<string> {
  const conversations = openConversations({ engine, store: sqliteStore(join(folder, 'append.db')) })
  const byHand = rowsByHand(join(folder, 'hand.db'))
  const byStore = await rowsByStore(sqliteStore(join(folder, 'store.db')))
  const long = await conversationOf(conversations, 3_000)
  const contestants = [
    { name: 'bare node:sqlite', run: () => repeat(async () => byHand()) },
    { name: 'sqliteStore()', run: () => repeat(byStore) },
    { name: 'conversation, from turn 10', run: async () => sendTo(await conversationOf(conversations, 10)) },
    { name: 'conversation, from turn 3,000', run: () => sendTo(long) },
  ] as const
  const work = { count: turns, of: 'turn' }
  const table = format(await measure({ title: 'append a turn of 2 KB', work, contestants }))
  const written = await bytesWritten(contestants)
  await conversations.close()
  return `${table}\n${written}`
}

async function load(folder: string): Promise<string> {
  const path = join(folder, 'load.db')
  const conversations = openConversations({ engine, store: sqliteStore(path) })
  const { id } = await conversationOf(conversations, 5_000)
  const db = new DatabaseSync(path)
  const rows = db.prepare('SELECT number, parent, role, json FROM message WHERE conversation = 1 ORDER BY number')
  const contestants = [
    { name: 'bare node:sqlite', run: () => rows.all().length },
    { name: 'open()', run: async () => Number((await conversations.open(id)).head) },
  ] as const
  const work = { count: 10_000, of: 'message' }
  const table = format(await measure({ title: 'load 10,000 messages', work, contestants }))
  db.close()
  await conversations.close()
  return table
}

async function sendTo(conversation: Conversation): Promise<number> {
  return repeat(() => conversation.send(question))
}

async function repeat(work: () => PromiseLike<unknown>): Promise<number> {
  for (let turn = 0; turn < turns; turn++) await work()
  return turns
}

/** A conversation that has so many turns behind it. */
async function conversationOf(conversations: Conversations, length: number): Promise<Conversation> {
  const messages = Array.from({ length: length * 2 }, (_, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: index % 2 === 0 ? question : answer,
  }))
  return conversations.create({ ...settings, messages })
}

/** The same rows in the same two steps, without anything around them. */
function rowsByHand(path: string): () => void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec(`
    CREATE TABLE conversation (id INTEGER PRIMARY KEY, head INTEGER, version INTEGER);
    CREATE TABLE message (id INTEGER PRIMARY KEY, conversation INTEGER, number INTEGER, json TEXT, UNIQUE (conversation, number));
    CREATE TABLE call (id INTEGER PRIMARY KEY, conversation INTEGER, usage TEXT);
    INSERT INTO conversation VALUES (1, 0, 0);
  `)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const insert = db.prepare('INSERT INTO message (conversation, number, json) VALUES (1, ?, ?)')
  const usage = db.prepare('INSERT INTO call (conversation, usage) VALUES (1, ?)')
  const move = db.prepare('UPDATE conversation SET head = ?, version = version + 1 WHERE id = 1 AND version = ?')
  let number = 0
  let version = 0
  return () => {
    begin.run()
    insert.run(++number, JSON.stringify({ role: 'user', content: question }))
    move.run(number, version++)
    commit.run()
    db.exec('PRAGMA synchronous = FULL')
    begin.run()
    insert.run(++number, JSON.stringify({ role: 'assistant', content: [{ type: 'text', text: answer }] }))
    usage.run('{"input_tokens":1000,"output_tokens":250}')
    move.run(number, version++)
    commit.run()
    db.exec('PRAGMA synchronous = NORMAL')
  }
}

/** The store's own two steps, without a conversation around them. */
async function rowsByStore(store: ConversationStore): Promise<() => Promise<void>> {
  await store.create({ id: 'one', title: null, settings: JSON.stringify(settings), at: 0 })
  const messages = [{ role: 'user', json: JSON.stringify({ role: 'user', content: question }) }]
  const json = JSON.stringify({ role: 'assistant', content: [{ type: 'text', text: answer }] })
  const reply = '{"message":{"usage":{"input_tokens":1000,"output_tokens":250}}}'
  let version = 1
  let parent = 0
  return async () => {
    const begun = await store.begin({ id: 'one', version, parent, messages, at: 0 })
    if (begun.repeated) throw new Error('No key was given')
    version = begun.version
    parent = begun.reply
    await store.finish({ id: 'one', handle: begun.handle, state: 'committed', json, received: null, reply, at: 0 })
  }
}

/** What reaches the disk, as Linux counts it; empty elsewhere. */
async function bytesWritten(contestants: readonly { name: string; run(): unknown }[]): Promise<string> {
  if (!existsSync('/proc/self/io')) return ''
  const written = (): number => Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  const lines = ['bytes written (per turn)']
  for (const { name, run } of contestants) {
    const before = written()
    await run()
    lines.push(`  ${name.padEnd(30)} ${((written() - before) / turns / 1000).toFixed(1).padStart(6)} kB`)
  }
  return lines.join('\n')
}

/** Answers at once, so that only the keeping is measured. */
async function* engine(): AsyncGenerator<MessageStreamEvent> {
  const usage = { input_tokens: 1000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message' as const, role: 'assistant' as const, model: settings.model }
  yield { type: 'message_start', message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage } }
  yield { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } }
  yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: answer } }
  yield { type: 'content_block_stop', index: 0 }
  yield {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 250 },
  }
  yield { type: 'message_stop' }
}
