import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryStore, openConversations, StoreError } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { createServer } from '../app.ts'
import type { AccessEntry } from '../operate/request-log.ts'
import { Interruption } from '../../../../test/interrupted.ts'
import { conversationRoutes } from './routes.ts'

test('a store that fails is told in the log with its place, and to the client without', async () => {
  const failure = new StoreError('full', 'Cannot write to /srv/chats.db: the disk is full')
  const failing = new Interruption()
  const conversations = openConversations({ engine: offline(), store: failing.inCallsOf(memoryStore()) })
  const { id } = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
  const api = conversationRoutes({ conversations, defaults: { model: 'claude-sonnet-4-6', max_tokens: 100 } })
  const entries: AccessEntry[] = []
  const { fetch } = createServer({ engine: offline(), routes: [api], log: (entry) => entries.push(entry) })
  const path = `/api/conversations/${id}`
  // The second step of a turn writes.
  for (const [step, method, name, body] of [
    [1, 'GET', '/api/conversations'],
    [1, 'POST', '/api/conversations', {}],
    [1, 'GET', path],
    [2, 'PATCH', path, { title: 'New' }],
    [2, 'POST', `${path}/send`, { content: 'Hi' }],
  ] as const) {
    failing.arm(step, () => Promise.reject(failure))
    const response = await fetch(`http://localhost${name}`, { method, ...(body && { body: JSON.stringify(body) }) })
    const { error } = (await response.json()) as ErrorBody
    const told = 'The store of conversations failed: its disk is full'
    assert.deepEqual([response.status, error.type, error.message], [500, 'api_error', told], name)
    assert.equal(entries.at(-1)?.error, failure, name)
  }
  await api.close()
})
