import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { chatsToPick } from './slash/pick-chat.ts'
import { findChat, shortId } from './stored-chats.ts'

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
