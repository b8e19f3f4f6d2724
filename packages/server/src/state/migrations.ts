import { StoreError } from 'colloquy/conversation/errors'

/** A step of the schema. `%.` stands for the schema, as in statements. */
export interface Migration {
  /** Its number and subject, such as `0001 keys`. */
  name: string
  /** One SQL for both databases, or one for each. */
  sql: string | { sqlite: string; postgres: string }
}

/** The columns of the table `request`: one row a request. */
const requestTable = `
    CREATE TABLE %.request (
      id             text NOT NULL,
      started_at     bigint NOT NULL,
      workspace      text NOT NULL,
      key_id         text NOT NULL,         -- '' without a key
      user_id        text NOT NULL,         -- of metadata.user_id; '' without one
      conversation   text NOT NULL,
      source         text NOT NULL,         -- api, chat or batch
      engine         text NOT NULL,
      model          text NOT NULL,         -- the requested model
      served_model   text NOT NULL,         -- the model that replied
      input          bigint NOT NULL,       -- tokens, by bucket
      cache_write_5m bigint NOT NULL,
      cache_write_1h bigint NOT NULL,
      cache_read     bigint NOT NULL,
      output         bigint NOT NULL,
      usage          text,                  -- JSON of what the five buckets leave out, if anything
      cost           bigint,                -- null: no price is known
      saved          bigint NOT NULL,       -- by the prompt cache, compared with prompts that are not cached
      price          text,                  -- the day from which the price is valid, and its source
      estimated      bigint NOT NULL,       -- 1 if the usage was not reported to the end
      status         bigint NOT NULL,
      error_type     text,
      stop_reason    text,
      ttft_ms        bigint,
      ms             bigint NOT NULL,
      request_bytes  bigint NOT NULL,
      response_bytes bigint NOT NULL,
      attempts       bigint NOT NULL,
      PRIMARY KEY (id, started_at)
    )`

const otherLedgerTables = `
    CREATE INDEX request_time ON %.request (started_at, id);
    CREATE INDEX request_key ON %.request (key_id, started_at);
    CREATE INDEX request_conversation ON %.request (conversation, started_at) WHERE conversation <> '';

    -- The sums of an hour. Latencies are in buckets whose bounds grow by a ninth.
    CREATE TABLE %.usage_hour (
      hour           bigint NOT NULL,       -- its first millisecond
      workspace      text NOT NULL,
      key_id         text NOT NULL,
      model          text NOT NULL,
      source         text NOT NULL,
      requests       bigint NOT NULL,
      failed         bigint NOT NULL,
      estimated      bigint NOT NULL,
      unpriced       bigint NOT NULL,
      input          bigint NOT NULL,
      cache_write_5m bigint NOT NULL,
      cache_write_1h bigint NOT NULL,
      cache_read     bigint NOT NULL,
      output         bigint NOT NULL,
      cost           bigint NOT NULL,
      saved          bigint NOT NULL,
      estimated_cost bigint NOT NULL,
      PRIMARY KEY (hour, workspace, key_id, model, source)
    );
    CREATE TABLE %.latency_hour (
      hour      bigint NOT NULL,
      workspace text NOT NULL,
      key_id    text NOT NULL,
      model     text NOT NULL,
      source    text NOT NULL,
      bucket    bigint NOT NULL,
      requests  bigint NOT NULL,
      PRIMARY KEY (hour, workspace, key_id, model, source, bucket)
    );

    -- What a key or a user spends in a period, and what servers have reserved of the rest.
    CREATE TABLE %.account (
      name     text PRIMARY KEY,
      spent    bigint NOT NULL,
      reserved bigint NOT NULL,
      until    bigint                       -- when the period ends; null: never
    );

    -- The servers that run, and what each has reserved: if one dies, another settles its requests.
    CREATE TABLE %.instance (
      id      text PRIMARY KEY,
      seen_at bigint NOT NULL
    );
    CREATE TABLE %.reservation (
      instance text NOT NULL,
      account  text NOT NULL,
      amount   bigint NOT NULL,
      PRIMARY KEY (instance, account)
    );
    CREATE TABLE %.in_flight (
      instance text NOT NULL,
      id       text NOT NULL,
      json     text NOT NULL,               -- the row of the request so far, and its reservation
      PRIMARY KEY (instance, id)
    );
`

const batchTables = `
    CREATE TABLE %.batch (
      id          text PRIMARY KEY,
      workspace   text NOT NULL,
      key_id      text NOT NULL,          -- the key that pays; '' without one
      version     text NOT NULL,          -- of the API, and the betas as JSON: for all items
      betas       text NOT NULL,
      items       bigint NOT NULL,
      is_ready    bigint NOT NULL,        -- 0 while its items are being added
      created_at  bigint NOT NULL,
      expires_at  bigint NOT NULL,
      cancel_at   bigint,                 -- when a cancel was requested
      ended_at    bigint,
      archived_at bigint,                 -- when its items were erased
      succeeded   bigint NOT NULL,        -- counts of items, 0 until it has ended
      errored     bigint NOT NULL,
      canceled    bigint NOT NULL,
      expired     bigint NOT NULL
    );
    CREATE INDEX batch_page ON %.batch (workspace, created_at, id);
    CREATE INDEX batch_open ON %.batch (created_at) WHERE ended_at IS NULL;
    CREATE TABLE %.batch_item (
      batch       text NOT NULL,
      position    bigint NOT NULL,
      custom_id   text NOT NULL,
      params      text,                   -- JSON; null when the item has an outcome
      outcome     text NOT NULL,          -- '' until it is succeeded, errored, canceled or expired
      result      text,                   -- JSON of a success or an error
      attempts    bigint NOT NULL,
      lease_owner text,                   -- the worker that runs the item
      lease_until bigint,                 -- no other worker takes the item before
      PRIMARY KEY (batch, position)
    );
    CREATE INDEX batch_item_waiting ON %.batch_item (batch, position) WHERE outcome = '';
    CREATE INDEX batch_item_leased ON %.batch_item (lease_owner) WHERE lease_owner IS NOT NULL;
`

const fileTables = `
    CREATE TABLE %.file (
      id         text PRIMARY KEY,
      workspace  text NOT NULL,
      name       text NOT NULL,
      media_type text NOT NULL,
      bytes      bigint NOT NULL,
      created_at bigint NOT NULL,
      expires_at bigint,
      is_ready   bigint NOT NULL           -- 0 while its bytes are being added
    );
    CREATE INDEX file_page ON %.file (workspace, created_at, id);
    CREATE TABLE %.file_part (
      file     text NOT NULL,
      start_at bigint NOT NULL,            -- the position of its first byte
      data     text NOT NULL,              -- base64
      PRIMARY KEY (file, start_at)
    );
`

const threadTables = `
    CREATE TABLE %.thread (
      id          text PRIMARY KEY,
      workspace   text NOT NULL,
      key_id      text NOT NULL,          -- the key that created it; '' without one
      fixed       text NOT NULL,          -- JSON of the parameters that its requests share
      head        text NOT NULL,          -- the id of its last reply
      parts       bigint NOT NULL,        -- of its history: one for each reply
      expires_at  bigint NOT NULL,
      claim_owner text,                   -- the request that continues it
      claim_until bigint                  -- no other request may before
    );
    CREATE INDEX thread_expiry ON %.thread (expires_at);
    CREATE TABLE %.thread_reply (
      id        text NOT NULL,            -- of the message
      workspace text NOT NULL,
      key_id    text NOT NULL,
      thread    text NOT NULL,
      PRIMARY KEY (id, workspace, key_id)
    );
    CREATE INDEX thread_reply_thread ON %.thread_reply (thread);
    CREATE TABLE %.thread_part (
      thread   text NOT NULL,
      position bigint NOT NULL,
      messages text NOT NULL,             -- JSON of a list
      PRIMARY KEY (thread, position)
    );
`

/**
 * Migrations go forward only: one that was released is never changed, and a new one is added at the end. Each part of the
 * state has its own. Times are milliseconds since 1970; amounts are picodollars.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0001 keys',
    sql: `
      CREATE TABLE %.access_key (
        id             text PRIMARY KEY,
        name           text NOT NULL UNIQUE,
        workspace      text NOT NULL,
        is_admin       bigint NOT NULL,
        hint           text NOT NULL,          -- the end of the secret
        hash           text NOT NULL UNIQUE,   -- SHA-256 of the secret
        previous_hash  text,                   -- of the secret before the last rotation, accepted until previous_until
        previous_until bigint,
        settings       text NOT NULL,          -- JSON of KeySettings
        created_at     bigint NOT NULL,
        expires_at     bigint,
        revoked_at     bigint,
        last_used_at   bigint
      );
      CREATE INDEX access_key_previous ON %.access_key (previous_hash) WHERE previous_hash IS NOT NULL;
    `,
  },
  {
    name: '0002 ledger',
    sql: {
      sqlite: `${requestTable}; ${otherLedgerTables}`,
      // A partition for each month: dropping one is how old rows are erased, and the indexes that grow stay small.
      postgres: `${requestTable} PARTITION BY RANGE (started_at); ${otherLedgerTables}`,
    },
  },
  {
    name: '0003 latency by day',
    sql: `
      -- Latencies by hour were most of the rows that a report reads.
      DROP TABLE %.latency_hour;
      CREATE TABLE %.latency_day (
        day       bigint NOT NULL,            -- its first millisecond in UTC
        workspace text NOT NULL,
        key_id    text NOT NULL,
        model     text NOT NULL,
        source    text NOT NULL,
        bucket    bigint NOT NULL,
        requests  bigint NOT NULL,
        PRIMARY KEY (day, workspace, key_id, model, source, bucket)
      );
      CREATE INDEX usage_hour_key ON %.usage_hour (key_id, hour);
    `,
  },
  { name: '0004 batches', sql: batchTables },
  { name: '0005 files', sql: fileTables },
  { name: '0006 threads', sql: threadTables },
  {
    name: '0007 prompt cache',
    sql: `
      -- The prefixes of prompts that an engine without a cache is accounted for.
      CREATE TABLE %.cache_entry (
        workspace  text NOT NULL,
        prefix     text NOT NULL,             -- a hash
        life_ms    bigint NOT NULL,
        expires_at bigint NOT NULL,
        PRIMARY KEY (workspace, prefix)
      );
      CREATE INDEX cache_entry_expiry ON %.cache_entry (expires_at);
    `,
  },
  {
    name: '0008 batches of an upstream',
    sql: `
      ALTER TABLE %.batch ADD COLUMN upstream_id text;     -- its id in the account that runs it
      ALTER TABLE %.batch ADD COLUMN lease_owner text;     -- the server that looks after it
      ALTER TABLE %.batch ADD COLUMN lease_until bigint;
    `,
  },
  {
    name: '0009 cost by type',
    sql: `
      ${['input', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output', 'server_tools']
        .map((type) => `ALTER TABLE %.usage_hour ADD COLUMN ${type}_cost bigint NOT NULL DEFAULT 0;`)
        .join('\n')}
      -- Times to the first event, in the buckets of latency_day.
      CREATE TABLE %.first_event_day (
        day       bigint NOT NULL,
        workspace text NOT NULL,
        key_id    text NOT NULL,
        model     text NOT NULL,
        source    text NOT NULL,
        bucket    bigint NOT NULL,
        requests  bigint NOT NULL,
        PRIMARY KEY (day, workspace, key_id, model, source, bucket)
      );
    `,
  },
  {
    name: '0010 path of a request',
    sql: `ALTER TABLE %.request ADD COLUMN path text NOT NULL DEFAULT '/v1/messages';`,
  },
  {
    name: '0011 requests of chats by time',
    sql: `CREATE INDEX request_chat ON %.request (started_at) WHERE conversation <> '';`,
  },
  {
    name: '0012 waiting items of a batch by name',
    sql: `CREATE INDEX batch_item_name ON %.batch_item (batch, custom_id) WHERE outcome = '';`,
  },
  {
    name: '0013 secrets of all servers',
    sql: `CREATE TABLE %.secret (name text PRIMARY KEY, value text NOT NULL);`,
  },
]

/** The migrations that a database lacks. Throws a `StoreError` if it has one that is not known here. */
export function missingMigrations(all: readonly Migration[], applied: readonly string[], name: string): Migration[] {
  const unknown = applied.find((each) => !all.some((migration) => migration.name === each))
  if (unknown !== undefined) {
    const found = `a newer version wrote it, and this one does not know its migration "${unknown}"`
    throw new StoreError('newer', `Cannot open ${name}: ${found}`)
  }
  return all.filter((migration) => !applied.includes(migration.name))
}

/** The SQL of a migration for a kind of database. */
export function sqlOf({ sql }: Migration, kind: 'sqlite' | 'postgres'): string {
  return typeof sql === 'string' ? sql : sql[kind]
}
