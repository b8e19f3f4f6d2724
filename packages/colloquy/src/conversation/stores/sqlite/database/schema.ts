import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../../errors.ts'
import { rollback } from './error.ts'
import { mapped } from './mapped.ts'

export interface Migration {
  name: string
  sql: string
}

/**
 * Migrations go forward only: one that was released is never changed; a new one is added below it.
 *
 * A turn costs the same in a long conversation as in a short one: its rows are inserted behind those of the last turn, and
 * nothing that grows is rewritten. Therefore the settings, which may be long, are not a column of `conversation`, whose row
 * changes with every turn; and the search index is updated by searching, not by writing.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0001 conversations',
    sql: `
      CREATE TABLE conversation (
        id         INTEGER PRIMARY KEY,
        public_id  TEXT NOT NULL UNIQUE,
        version    INTEGER NOT NULL,          -- counts the changes, to refuse a writer with an old one
        head       INTEGER NOT NULL,          -- number of the active leaf; 0: the beginning
        last       INTEGER NOT NULL,          -- number of the newest message
        created_at INTEGER NOT NULL,          -- milliseconds since 1970, like all times
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
        parent       INTEGER NOT NULL,        -- number of the message before; 0: none
        role         TEXT NOT NULL,
        state        TEXT NOT NULL,
        created_at   INTEGER NOT NULL,
        key          TEXT,                    -- finds the first turn when it is sent again
        reply        TEXT,                    -- JSON of a ReplyRecord
        received     TEXT,                    -- exact JSON as received, if it differs from json
        json         TEXT NOT NULL,           -- exact JSON as sent; '' if nothing may be sent
        UNIQUE (conversation, number)
      );

      -- Most messages follow the previous number. The few others, the forks, are enough to find a path: it consists of
      -- the runs of consecutive numbers between them.
      CREATE INDEX message_fork ON message (conversation, number, parent) WHERE parent <> number - 1;
      CREATE UNIQUE INDEX message_key ON message (conversation, key) WHERE key IS NOT NULL;

      -- One row for each reply that has not ended, with the process that receives it.
      CREATE TABLE lease (
        message      INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        owner        TEXT NOT NULL,           -- host, process id, start of the process
        until        INTEGER NOT NULL
      );

      -- The journals of those replies.
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
      -- The first search makes the index itself, because not every Node can. It contains the messages up to this id,
      -- except those in search_later, which had not ended when the index came to them.
      CREATE TABLE search_state (indexed_to INTEGER NOT NULL);
      INSERT INTO search_state VALUES (0);
      CREATE TABLE search_later (message INTEGER PRIMARY KEY);
    `,
  },
  {
    name: '0003 spending',
    sql: `
      -- The amounts spent and reserved, if there are limits: by all users on a day, by a user, by a user on a day.
      CREATE TABLE spending (
        user_id       TEXT NOT NULL,          -- metadata.user_id; '': all users
        day           TEXT NOT NULL,          -- in UTC, such as 2026-11-21; '': all days
        pico_usd      INTEGER NOT NULL,
        tokens        INTEGER NOT NULL,
        held_pico_usd INTEGER NOT NULL,       -- reserved for replies in flight
        held_tokens   INTEGER NOT NULL,
        unpriced      INTEGER NOT NULL,       -- calls without a known price
        PRIMARY KEY (user_id, day)
      ) WITHOUT ROWID;

      ALTER TABLE lease ADD COLUMN held_pico_usd INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE lease ADD COLUMN held_tokens INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE lease ADD COLUMN accounts TEXT; -- JSON: the accounts of the reservation, if any
    `,
  },
  {
    name: '0004 erased',
    sql: `
      -- The billing data of erased replies: they still count in the cost of the conversation.
      CREATE TABLE erased (conversation INTEGER NOT NULL, reply TEXT NOT NULL);
      CREATE INDEX erased_conversation ON erased (conversation);
    `,
  },
  {
    name: '0005 owners',
    sql: `
      ALTER TABLE conversation ADD COLUMN owner TEXT;
      -- Without a time, so that no turn changes the index.
      CREATE INDEX conversation_owner ON conversation (owner) WHERE owner IS NOT NULL;

      CREATE TABLE metadata (
        conversation INTEGER PRIMARY KEY,
        json         TEXT NOT NULL
      );

      -- The totals of a conversation up to a message, saved by listing, not by writing. They are valid unless a later
      -- version corrected an earlier message.
      ALTER TABLE conversation ADD COLUMN corrected INTEGER NOT NULL DEFAULT 0;
      CREATE TABLE totals (
        conversation INTEGER PRIMARY KEY,
        version      INTEGER NOT NULL,
        json         TEXT NOT NULL
      );
    `,
  },
  {
    name: '0006 folded search',
    sql: `
      -- Whether the search index holds folded text. The next search replaces one that does not.
      ALTER TABLE search_state ADD COLUMN is_folded INTEGER NOT NULL DEFAULT 0;
    `,
  },
  {
    name: '0007 checksums',
    sql: `
      -- CRC-32, so that a damaged row is noticed. Null if an earlier version wrote the row, or the reply has not ended.
      ALTER TABLE message ADD COLUMN checksum INTEGER;
      ALTER TABLE settings ADD COLUMN checksum INTEGER;
    `,
  },
  {
    name: '0008 stop',
    sql: `
      -- Whether another process wants the reply to be stopped.
      ALTER TABLE lease ADD COLUMN stopping INTEGER NOT NULL DEFAULT 0;
    `,
  },
  {
    name: '0009 leases in messages',
    sql: `
      -- The lease of a reply is a part of its row, so that a turn changes fewer pages. All null once it has ended.
      ALTER TABLE message ADD COLUMN owner TEXT;  -- host, process id, start of the process
      ALTER TABLE message ADD COLUMN until INTEGER;
      ALTER TABLE message ADD COLUMN stopping INTEGER;
      ALTER TABLE message ADD COLUMN held_pico_usd INTEGER;
      ALTER TABLE message ADD COLUMN held_tokens INTEGER;
      ALTER TABLE message ADD COLUMN accounts TEXT; -- JSON: the accounts of the reservation, if any
      -- Replies with a smaller number have ended. An index of replies in flight would be written twice in each turn.
      ALTER TABLE conversation ADD COLUMN in_flight_from INTEGER NOT NULL DEFAULT 1;

      UPDATE message SET (owner, until, stopping, held_pico_usd, held_tokens, accounts) =
          (SELECT owner, until, stopping, held_pico_usd, held_tokens, accounts FROM lease WHERE lease.message = message.id)
        WHERE id IN (SELECT message FROM lease);
      UPDATE conversation SET in_flight_from = coalesce(
        (SELECT min(number) FROM lease JOIN message m ON m.id = lease.message WHERE lease.conversation = conversation.id),
        last + 1);
      DROP TABLE lease;
      CREATE INDEX message_reserved ON message (conversation) WHERE accounts IS NOT NULL;
    `,
  },
  {
    name: '0010 smaller search index',
    sql: `
      -- The version of the search index. The next search replaces an older one.
      ALTER TABLE search_state ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
    `,
  },
  {
    name: '0011 place checksums',
    sql: `
      -- CRC-32 of number, parent, role, time and the id of the conversation. Null if an earlier version wrote the row.
      ALTER TABLE message ADD COLUMN place_checksum INTEGER;
    `,
  },
  {
    name: '0012 search in blocks, erasing in slices',
    sql: `
      -- The messages with these trigrams, for each block of 256 message ids: see search/postings.ts. Ids are 1,024 a block.
      CREATE TABLE search_posting (id INTEGER PRIMARY KEY, messages BLOB NOT NULL);
      -- The blocks that are indexed; while that is being done, the run that does it. search_later has the replies that had
      -- not ended by then.
      CREATE TABLE search_block (block INTEGER PRIMARY KEY, run TEXT);
      DROP TABLE search_state;
      DELETE FROM search_later;
      -- Deleted conversations whose messages are not all erased.
      CREATE TABLE erasing (conversation INTEGER PRIMARY KEY);
    `,
  },
  {
    name: '0013 adding in slices',
    sql: `
      -- The process that is adding the conversation, whose messages must not be erased. Null if it was deleted.
      ALTER TABLE erasing ADD COLUMN owner TEXT;
      ALTER TABLE erasing ADD COLUMN until INTEGER;
    `,
  },
  {
    name: '0014 pruning in slices',
    sql: `
      -- The first messages of branches that are not erased yet.
      CREATE TABLE pruning (conversation INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (conversation, number))
        WITHOUT ROWID;
    `,
  },
  {
    name: '0015 shelves',
    sql: `
      -- pinned, archived, or null.
      ALTER TABLE conversation ADD COLUMN shelf TEXT;
      -- Without a time, so that no turn changes the index.
      CREATE INDEX conversation_shelf ON conversation (shelf) WHERE shelf IS NOT NULL;
    `,
  },
  {
    name: '0016 folded letters',
    sql: `
      -- The next search writes the index again: letters such as ς and σ are one since.
      DELETE FROM search_posting;
      DELETE FROM search_block;
      DELETE FROM search_later;
    `,
  },
]

/** Brings the database to the newest schema, completely or not at all. Two processes may try at once. */
export function migrate(db: DatabaseSync, path: string): void {
  if (applied(db, path).size < migrations.length) mapped(db, () => applyAll(db, path))
}

function applyAll(db: DatabaseSync, path: string): void {
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
      `Cannot open ${path}: a newer version wrote it, and this one does not know its migration "${unknown.name}"`,
    )
  }
  return new Set(names.map(({ name }) => name))
}
