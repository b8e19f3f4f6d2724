import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { offline } from '../../../engines/index.ts'
import { openConversations } from '../../index.ts'
import { sqliteStore } from './store.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }

/** Does everything that a store can do, and returns the statements that it prepares. */
async function statementsOf(path: string): Promise<Set<string>> {
  const prepare = mock.method(DatabaseSync.prototype, 'prepare')
  const limits = { usdPerDay: 5, usdPerUser: 5 }
  const conversations = openConversations({ engine: offline(), store: sqliteStore(path), limits })
  const chat = await conversations.create({ ...settings, owner: 'ada', metadata: { user_id: 'ada', tag: 1 } })
  const { messageId, parentId } = await chat.send('hello', { key: 'one' })
  await chat.send('hello', { key: 'one' })
  await chat.edit(parentId!, 'another')
  await chat.retry()
  await chat.undo()
  await Array.fromAsync(chat.tree())
  await Promise.all([chat.branches(), chat.versions(messageId)])
  await chat.switchTo(messageId)
  await chat.configure({ system: 'Be brief.' })
  await chat.update({ title: 'One', shelf: 'pinned' })
  const { id } = await chat.fork()
  const lists = [{}, { title: 'One' }, { owner: 'ada' }, { shelf: 'pinned' }] as const
  for (const query of lists) await conversations.list(query)
  for (const owner of ['ada', 'bob']) await conversations.search('hello', { owner })
  await Array.fromAsync(conversations.export(id))
  await conversations.resume(id)
  await conversations.stop(id)
  await chat.erase(messageId)
  await Array.fromAsync(conversations.check())
  await conversations.spending()
  await conversations.delete(id)
  await conversations.deleteUnusedSince(new Date(0))
  await conversations.close()
  const statements = prepare.mock.calls.map(({ arguments: [sql] }) => sql)
  prepare.mock.restore()
  return new Set(statements.filter((sql) => /^(select|insert|update|delete|with)/i.test(sql)))
}

test('no statement reads every conversation or message, and list() only to choose its rows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const statements = await statementsOf(join(folder, 'a.db'))
  assert.ok(statements.size > 70, String(statements.size))
  const db = new DatabaseSync(join(folder, 'a.db'))
  const readingAll = [...statements].flatMap((sql) => {
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
    const details = steps.map(({ detail }) => String(detail))
    return details.filter((detail) =>
      /SCAN (?:conversation|message|[a-z]\b)|ON TABLE (?:conversation|message)/.test(detail),
    )
  })
  db.close()
  rmSync(folder, { recursive: true })
  assert.deepEqual(new Set(readingAll), new Set(['SCAN conversation']))
})
