import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../errors.ts'
import { rollback } from './error.ts'

interface Migration {
  name: string
  sql: string
}

/**
 * Forward only: a migration that was released is never changed, a new one is added below it.
 *
 * The rows of a turn are inserted where the last turn's ended, and nothing that grows is rewritten: so a turn costs the
 * same in a long conversation as in a short one. That is why the settings, which may be long, are no column of
 * `conversation`, whose row changes with every turn, and why searching keeps its index up to date, not writing.
 */
const migrations: readonly Migration[] = [
  {
    name: '0001 conversations',
    sql: `
      CREATE TABLE conversation (
        id         INTEGER PRIMARY KEY,
        public_id  TEXT NOT NULL UNIQUE,
        version    INTEGER NOT NULL,          -- counts the changes: compare and set
        head       INTEGER NOT NULL,          -- number of the active leaf; 0 is the beginning
        last       INTEGER NOT NULL,          -- number of the newest message
        created_at INTEGER NOT NULL,          -- milliseconds since 1970, as all times
        updated_at INTEGER NOT NULL,
        title      TEXT
      );

      CREATE TABLE settings (
        conversation INTEGER PRIMARY KEY,
        json         TEXT NOT NULL            -- model, max_tokens, system, tools, …
      );

      CREATE TABLE message (
        id           INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        number       INTEGER NOT NULL,        -- 1, 2, 3… in this conversation
        parent       INTEGER NOT NULL,        -- number of the message it follows; 0 for the first
        role         TEXT NOT NULL,
        state        TEXT NOT NULL,
        created_at   INTEGER NOT NULL,
        key          TEXT,                    -- makes a repeated send find the first one
        reply        TEXT,                    -- JSON of a reply: the message without its content, cost, error
        received     TEXT,                    -- JSON of the message as it came, where that is not what is sent
        json         TEXT NOT NULL,           -- the message exactly as it is sent; '' where nothing of it may be
        UNIQUE (conversation, number)
      );

      -- Most messages follow the one before. The others are few, and finding them is finding a path: it is the runs
      -- of consecutive numbers between them.
      CREATE INDEX message_fork ON message (conversation, number, parent) WHERE parent <> number - 1;
      CREATE UNIQUE INDEX message_key ON message (conversation, key) WHERE key IS NOT NULL;

      -- One row for each reply that has not ended, and whoever receives it.
      CREATE TABLE lease (
        message      INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        owner        TEXT NOT NULL,           -- host, process id, start of the process
        until        INTEGER NOT NULL
      );

      -- What has arrived of those replies.
      CREATE TABLE delta (
        message INTEGER NOT NULL,
        part    INTEGER NOT NULL,
        json    TEXT NOT NULL,
        PRIMARY KEY (message, part)
      ) WITHOUT ROWID;

      CREATE VIEW call AS
        SELECT
          c.public_id AS conversation, m.number, m.parent, m.state, m.created_at,
          json_extract(m.reply, '$.message.model') AS model,
          json_extract(m.reply, '$.message.id') AS message_id,
          json_extract(m.reply, '$.message.stop_reason') AS stop_reason,
          json_extract(m.reply, '$.message.usage.input_tokens') AS input_tokens,
          json_extract(m.reply, '$.message.usage.cache_creation_input_tokens') AS cache_creation_input_tokens,
          json_extract(m.reply, '$.message.usage.cache_read_input_tokens') AS cache_read_input_tokens,
          json_extract(m.reply, '$.message.usage.output_tokens') AS output_tokens,
          json_extract(m.reply, '$.cost_pico_usd') AS cost_pico_usd,
          coalesce(json_extract(m.reply, '$.estimated'), 0) AS estimated,
          json_extract(m.reply, '$.error.message') AS error
        FROM message m JOIN conversation c ON c.id = m.conversation
        WHERE m.reply IS NOT NULL;
    `,
  },
  {
    name: '0002 search',
    sql: `
      -- The index itself is made by the first search, since not every Node can make it. Messages up to this id are in
      -- it, except those listed as not yet ended when they were passed.
      CREATE TABLE search_state (indexed_to INTEGER NOT NULL);
      INSERT INTO search_state VALUES (0);
      CREATE TABLE search_later (message INTEGER PRIMARY KEY);
    `,
  },
  {
    name: '0003 spending',
    sql: `
      -- What was spent and is held, where there are limits: of all users on a day, of a user, of a user on a day.
      CREATE TABLE spending (
        user_id       TEXT NOT NULL,          -- metadata.user_id; '' for all users
        day           TEXT NOT NULL,          -- in UTC, as 2026-11-21; '' for all days
        pico_usd      INTEGER NOT NULL,
        tokens        INTEGER NOT NULL,
        held_pico_usd INTEGER NOT NULL,       -- for replies under way: the most that they may cost
        held_tokens   INTEGER NOT NULL,
        unpriced      INTEGER NOT NULL,       -- calls without a known price
        PRIMARY KEY (user_id, day)
      ) WITHOUT ROWID;

      ALTER TABLE lease ADD COLUMN held_pico_usd INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE lease ADD COLUMN held_tokens INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE lease ADD COLUMN accounts TEXT; -- JSON: where it is held; null for nowhere
    `,
  },
  {
    name: '0004 erased',
    sql: `
      -- Of replies that were erased, what they used: a conversation costs what it has cost.
      CREATE TABLE erased (conversation INTEGER NOT NULL, reply TEXT NOT NULL);
      CREATE INDEX erased_conversation ON erased (conversation);
    `,
  },
]

/** Brings the database to the newest schema, all of it or nothing. Two processes may try at once. */
export function migrate(db: DatabaseSync, path: string): void {
  if (applied(db, path).size === migrations.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec('CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)')
    const done = applied(db, path)
    for (const { name, sql } of migrations) {
      if (done.has(name)) continue
      db.exec(sql)
      db.prepare('INSERT INTO migration VALUES (?, ?)').run(name, Date.now())
    }
    db.exec('COMMIT')
  } catch (error) {
    rollback(db)
    throw error
  }
}

function applied(db: DatabaseSync, path: string): Set<string> {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'").get()
  if (table === undefined) return new Set()
  const names = db.prepare('SELECT name FROM migration ORDER BY name').all() as { name: string }[]
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = names.find(({ name }) => !known.has(name))
  if (unknown !== undefined) {
    throw new StoreError(
      'newer',
      `Cannot open ${path}: a newer version wrote it, this one does not know its migration "${unknown.name}"`,
    )
  }
  return new Set(names.map(({ name }) => name))
}
