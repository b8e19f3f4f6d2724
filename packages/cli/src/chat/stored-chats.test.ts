import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { chatsToPick } from './slash/pick-chat.ts'
import { findChat, openChats, openSavedChats, shortId } from './stored-chats.ts'

test('findChat() and the picker find the oldest of more than 10,000 chats', async () => {
  const chats = openConversations({ engine: offline(), store: memoryStore() })
  const { id } = await chats.create({ model: 'claude-sonnet-4-6', max_tokens: 10, title: 'The oldest of all' })
  const [oldest] = await chats.list()
  // To create as many chats would take seconds.
  const newer = Array.from({ length: 10_000 }, (_, index) => ({ ...oldest!, id: `newer-${index}`, title: 'Newer' }))
  const list = chats.list.bind(chats)
  chats.list = async ({ limit = 50 } = {}) => [...newer, ...(await list())].slice(0, limit)
  for (const query of [id, shortId(id), 'oldest all']) assert.equal((await findChat(chats, query)).id, id)
  const source = chatsToPick(chats, undefined)
  const found = await source.search('oldest')
  assert.deepEqual([found.rows.map((row) => row.id), found.total], [[id], 10_001])
  await source.remove(id)
  assert.deepEqual(await source.search('oldest'), { rows: [], total: 10_000 })
  await chats.close()
})

test('findChat() lists no chats for a whole id', async () => {
  const chats = openConversations({ engine: offline(), store: memoryStore() })
  const { id } = await chats.create({ model: 'claude-sonnet-4-6', max_tokens: 10, title: 'A' })
  chats.list = () => Promise.reject(new Error('All chats were listed'))
  const { id: found, title } = await findChat(chats, `${id.toUpperCase()} `)
  assert.deepEqual([found, title], [id, 'A'])
  await assert.rejects(findChat(chats, shortId(id)), /All chats were listed/)
  await chats.close()
})

test('chats of a folder that may only be read are listed, opened and searched', async (t) => {
  if (process.platform === 'win32') return t.skip('NOT TESTED: Windows has other permissions')
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-read only-'))
  const data = join(folder, 'colloquy')
  process.env['XDG_DATA_HOME'] = folder
  const isRoot = process.getuid!() === 0
  t.after(() => {
    if (isRoot) process.seteuid!(0)
    chmodSync(data, 0o755)
    rmSync(folder, { recursive: true })
  })
  const written = await openChats(offline(), { isSaved: true })
  const { id } = await written.create({ model: 'claude-sonnet-4-6', max_tokens: 10, title: 'A' })
  await (await written.open(id)).send('Say hello')
  await written.close()
  chmodSync(folder, 0o755)
  chmodSync(join(data, 'chats.db'), 0o444)
  chmodSync(data, 0o555)
  // Root may write everywhere.
  if (isRoot) process.seteuid!(65_534)
  const chats = await openSavedChats()
  assert.equal((await chats.list())[0]!.title, 'A')
  assert.equal((await chats.search('hello')).length, 2)
  await assert.rejects((await chats.open(id)).rename('B'), /chats\.db\S*: it is read-only/)
  await chats.close()
  await assert.rejects(openChats(offline(), { isSaved: true }), /^StoreError: Cannot open \S.*chats\.db: /)
  // The log of another program has what the file lacks.
  if (isRoot) process.seteuid!(0)
  chmodSync(data, 0o755)
  writeFileSync(join(data, 'chats.db-wal'), 'x')
  chmodSync(data, 0o555)
  if (isRoot) process.seteuid!(65_534)
  await assert.rejects(openSavedChats(), /^StoreError: Cannot open \S.*chats\.db: /)
})
