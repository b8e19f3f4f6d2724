import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { connectPostgres } from '../../../../../test/stores.ts'
import { until } from '../../../../../test/until.ts'
import { inSchema } from './postgres/migrate.ts'
import { migrations as postgresMigrations } from './postgres/schema.ts'
import { postgresStore } from './postgres/store.ts'
import { migrations as sqliteMigrations } from './sqlite/database/schema.ts'
import { sqliteStore } from './sqlite/store.ts'
import type { ConversationStore } from './store.ts'

// A conversation with a question, a reply and a reply that has not ended, as each earlier version wrote it.
const question = '{"role":"user","content":"Hello Re\u0301sume\u0301"}'
const reply = '{"message":{"usage":{"input_tokens":3,"output_tokens":1}},"cost_pico_usd":5}'
const rows = (s = ''): string => `
  INSERT INTO ${s}conversation (public_id, version, head, last, created_at, updated_at, title)
    VALUES ('old', 3, 2, 3, 10, 20, 'Hello');
  INSERT INTO ${s}settings (conversation, json) SELECT id, '{"model":"m"}' FROM ${s}conversation;`
const messages = (s: string, words?: string): string => {
  const columns = `conversation, number, parent, role, state, created_at, key, reply, json${words ? ', words' : ''}`
  const insert = (values: string, itsWords: string): string => `
    INSERT INTO ${s}message (${columns}) SELECT id, ${values}${words ? `, '${itsWords}'` : ''} FROM ${s}conversation;`
  return `
    ${insert(`1, 0, 'user', 'committed', 11, 'k', NULL, '${question}'`, words ?? '')}
    ${insert(`2, 1, 'assistant', 'committed', 12, NULL, '${reply}', '{"role":"assistant","content":"hi"}'`, 'hi')}
    ${insert(`3, 1, 'assistant', 'pending', 13, NULL, NULL, ''`, '')}`
}
// The lease of the reply was a row of its own before it became a part of the message.
const lease = (s: string, version: string): string =>
  version >= '0009'
    ? `UPDATE ${s}message SET owner = 'elsewhere 1 1', until = 0, held_pico_usd = 0, held_tokens = 0 WHERE number = 3`
    : `INSERT INTO ${s}lease (message, conversation, owner, until)
      SELECT m.id, c.id, 'elsewhere 1 1', 0 FROM ${s}message m JOIN ${s}conversation c ON c.id = m.conversation
      WHERE number = 3;`

// The search index as it was before it was folded.
const oldIndex = `
  CREATE VIRTUAL TABLE search USING fts5 (text, tokenize = 'trigram');
  INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
  INSERT INTO search (rowid, text) VALUES (1, 'Hello Re\u0301sume\u0301'), (2, 'hi');
  INSERT INTO search_later VALUES (3);
  UPDATE search_state SET indexed_to = 3;`

function hasFts5(db: DatabaseSync): boolean {
  return db.prepare("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS used").get()?.used === 1
}

async function check(store: ConversationStore): Promise<void> {
  const { conversation, messages: path, unfinished } = (await store.open('old'))!
  assert.deepEqual([conversation.title, conversation.owner, conversation.metadata], ['Hello', null, null])
  assert.deepEqual(
    path.map(({ json }) => json),
    [question, '{"role":"assistant","content":"hi"}'],
  )
  assert.equal((await store.find('old', 'k'))?.message, 1)
  assert.equal((await store.search(['RÉSUMÉ'], { limit: 1 }))[0]?.number, 1)
  const [lease] = unfinished
  assert.deepEqual([lease?.number, lease?.abandoned, { ...lease?.reserved }], [3, true, { picoUsd: 0n, tokens: 0n }])
  const end = { id: 'old', handle: lease!.handle, json: '{}', received: null, reply, at: 30, recovering: true }
  assert.deepEqual({ ...(await store.finish({ ...end, state: 'committed' })) }, { number: 3 })
  assert.equal((await store.spending({ user: '', day: '1970-01-01' })).tokens, 0n)
  assert.equal((await store.list({ limit: 1 }))[0]?.totals?.picoUsd, 10n)
  await store.update('old', 3, { owner: 'ada', metadata: '{"a":1}', at: 40 })
  assert.deepEqual(
    (await store.list({ limit: 1, owner: 'ada' })).map(({ id, metadata }) => [id, metadata]),
    [['old', '{"a":1}']],
  )
  await store.close()
}

for (const [index, { name }] of sqliteMigrations.entries()) {
  test(`sqliteStore() migrates a file of version ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    const path = join(folder, 'old.db')
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE migration (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)')
    for (const migration of sqliteMigrations.slice(0, index + 1)) {
      db.exec(migration.sql)
      db.prepare('INSERT INTO migration VALUES (?, 0)').run(migration.name)
    }
    db.exec(rows() + messages('') + lease('', name))
    if (index > 0 && name < '0012' && hasFts5(db)) db.exec(oldIndex)
    db.close()
    await check(sqliteStore(path))
    assert.ok(!tables(path).includes('search_state'))
    const store = sqliteStore(path)
    const left = (): string[] => tables(path).filter((table) => /^search(_data|_content|_config)?$/.test(table))
    await until(
      () => left().length === 0,
      () => `Tables of the old index: ${left().join(', ')}`,
    )
    await store.close()
    rmSync(folder, { recursive: true })
  })
}

function tables(path: string): string[] {
  const db = new DatabaseSync(path)
  const rows = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[]
  db.close()
  return rows.map(({ name }) => name)
}

/** The words of the question in PostgreSQL; undefined since they are in a table of their own. */
function wordsIn(version: string): string | undefined {
  if (version >= '0009') return undefined
  return version < '0006' ? 'Hello Re\u0301sume\u0301' : 'hello résumé'
}

describe('postgresStore()', () => {
  const db = connectPostgres()

  for (const [index, { name }] of postgresMigrations.entries()) {
    test(`migrates a schema of version ${name}`, async () => {
      const schema = `old_${index}`
      await db.exec(
        `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.migration (name text PRIMARY KEY, applied_at bigint)`,
      )
      for (const migration of postgresMigrations.slice(0, index + 1)) {
        await db.exec(`DO $old$ BEGIN ${inSchema(migration.sql, schema)} END $old$`)
        await db.query(`INSERT INTO ${schema}.migration VALUES ($1, 0)`, [migration.name])
      }
      await db.exec(rows(`${schema}.`) + messages(`${schema}.`, wordsIn(name)) + lease(`${schema}.`, name))
      await check(postgresStore(db, { schema }))
    })
  }
})
