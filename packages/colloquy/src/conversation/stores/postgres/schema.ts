/** Runs one statement: a pool or client of `pg`, PGlite, or a small wrapper around another driver. */
export interface PostgresDatabase {
  /** Runs a statement with parameters `$1`, `$2` and so on. */
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

export interface Migration {
  name: string
  sql: string
}

/**
 * Migrations go forward only: one that was released is never changed; a new one is added below it. `%` stands for the
 * schema. All of them run inside one PL/pgSQL block.
 *
 * Content is `text`, never `jsonb`, which reorders keys, drops repeated ones and rejects `\u0000`.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0001 conversations',
    sql: `
      CREATE TABLE %.conversation (
        id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        public_id  text NOT NULL UNIQUE,
        version    integer NOT NULL,
        head       integer NOT NULL,
        last       integer NOT NULL,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        title      text
      );
      CREATE INDEX ON %.conversation (updated_at DESC, id DESC);

      CREATE TABLE %.settings (
        conversation bigint PRIMARY KEY REFERENCES %.conversation ON DELETE CASCADE,
        json         text NOT NULL
      );

      CREATE TABLE %.message (
        id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        conversation bigint NOT NULL REFERENCES %.conversation ON DELETE CASCADE,
        number       integer NOT NULL,
        parent       integer NOT NULL,
        role         text NOT NULL,
        state        text NOT NULL,
        created_at   bigint NOT NULL,
        key          text,
        reply        text,
        received     text,
        json         text NOT NULL,
        words        text NOT NULL,
        UNIQUE (conversation, number)
      );
      CREATE INDEX ON %.message (conversation, number, parent) WHERE parent <> number - 1;
      CREATE UNIQUE INDEX ON %.message (conversation, key) WHERE key IS NOT NULL;

      CREATE TABLE %.lease (
        message      bigint PRIMARY KEY REFERENCES %.message ON DELETE CASCADE,
        conversation bigint NOT NULL,
        owner        text NOT NULL,
        until        bigint NOT NULL
      );
      CREATE INDEX ON %.lease (conversation);

      -- Not in the write-ahead log: a crash of the database server loses journals, but no messages.
      CREATE UNLOGGED TABLE %.delta (
        message bigint NOT NULL,
        part    integer NOT NULL,
        json    text NOT NULL,
        PRIMARY KEY (message, part)
      );
    `,
  },
  {
    name: '0002 search',
    sql: `
      -- Trigrams find any part of a word without reading every message. Without them searches are slow, but work.
      BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX ON %.message USING gin (words gin_trgm_ops);
      EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        NULL;
      END;
    `,
  },
  {
    name: '0003 spending',
    sql: `
      CREATE TABLE %.spending (
        user_id       text NOT NULL,
        day           text NOT NULL,
        pico_usd      bigint NOT NULL,
        tokens        bigint NOT NULL,
        held_pico_usd bigint NOT NULL,
        held_tokens   bigint NOT NULL,
        unpriced      integer NOT NULL,
        PRIMARY KEY (user_id, day)
      );
      ALTER TABLE %.lease ADD held_pico_usd bigint NOT NULL DEFAULT 0, ADD held_tokens bigint NOT NULL DEFAULT 0,
        ADD accounts text;

      -- Changes accounts, and raises an error if one exceeds its limit: then the statement that calls it does nothing.
      -- Rows are locked before they are read, and always in the same order: two turns never use the same room, and
      -- never wait for each other.
      CREATE FUNCTION %.enter(accounts text, add_pico_usd bigint, add_tokens bigint, hold_pico_usd bigint,
        hold_tokens bigint, add_unpriced integer) RETURNS boolean LANGUAGE plpgsql AS $function$
      DECLARE
        account record;
        entered %.spending;
      BEGIN
        FOR account IN SELECT * FROM json_to_recordset(accounts::json)
          AS row ("user" text, day text, pico_usd numeric, tokens numeric) ORDER BY 1, 2
        LOOP
          INSERT INTO %.spending AS s VALUES (account."user", account.day, add_pico_usd, add_tokens, hold_pico_usd,
            hold_tokens, add_unpriced)
          ON CONFLICT (user_id, day) DO UPDATE SET
            pico_usd = s.pico_usd + add_pico_usd, tokens = s.tokens + add_tokens,
            held_pico_usd = s.held_pico_usd + hold_pico_usd, held_tokens = s.held_tokens + hold_tokens,
            unpriced = s.unpriced + add_unpriced
          RETURNING * INTO entered;
          IF entered.pico_usd + entered.held_pico_usd > account.pico_usd THEN
            RAISE 'colloquy: over the limit %', json_build_object('user', account."user", 'day', account.day,
              'unit', 'picoUsd', 'allowed', account.pico_usd::text, 'spent', entered.pico_usd::text,
              'held', (entered.held_pico_usd - hold_pico_usd)::text, 'worst', hold_pico_usd::text);
          END IF;
          IF entered.tokens + entered.held_tokens > account.tokens THEN
            RAISE 'colloquy: over the limit %', json_build_object('user', account."user", 'day', account.day,
              'unit', 'tokens', 'allowed', account.tokens::text, 'spent', entered.tokens::text,
              'held', (entered.held_tokens - hold_tokens)::text, 'worst', hold_tokens::text);
          END IF;
        END LOOP;
        RETURN true;
      END $function$;
    `,
  },
  {
    name: '0004 erased',
    sql: `
      CREATE TABLE %.erased (
        conversation bigint NOT NULL REFERENCES %.conversation ON DELETE CASCADE,
        reply        text NOT NULL
      );
      CREATE INDEX ON %.erased (conversation);
    `,
  },
  {
    name: '0005 owners',
    sql: `
      ALTER TABLE %.conversation ADD owner text, ADD corrected integer NOT NULL DEFAULT 0;
      CREATE INDEX ON %.conversation (owner) WHERE owner IS NOT NULL;

      CREATE TABLE %.metadata (
        conversation bigint PRIMARY KEY REFERENCES %.conversation ON DELETE CASCADE,
        json         text NOT NULL
      );

      -- The totals of a conversation up to a message, saved by listing, not by writing. They are valid unless a later
      -- version corrected an earlier message.
      CREATE TABLE %.totals (
        conversation bigint PRIMARY KEY REFERENCES %.conversation ON DELETE CASCADE,
        version      integer NOT NULL,
        json         text NOT NULL
      );
    `,
  },
  {
    name: '0006 folded search',
    sql: `
      -- Searches compare composed letters in lower case. A database that is not in UTF-8 cannot compose letters.
      BEGIN
        UPDATE %.message SET words = lower(normalize(words, NFC)) WHERE words <> lower(normalize(words, NFC));
      EXCEPTION WHEN syntax_error OR feature_not_supported THEN
        UPDATE %.message SET words = lower(words) WHERE words <> lower(words);
      END;
    `,
  },
  {
    name: '0007 checksums',
    sql: `
      -- CRC-32, so that a damaged row is noticed. Null if an earlier version wrote the row, or the reply has not ended.
      ALTER TABLE %.message ADD checksum integer;
      ALTER TABLE %.settings ADD checksum integer;

      -- A damaged reply can still be erased.
      CREATE FUNCTION %.json_or_null(input text) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $function$
      BEGIN
        RETURN input::json;
      EXCEPTION WHEN others THEN
        RETURN NULL;
      END $function$;
    `,
  },
  {
    name: '0008 stop',
    sql: `
      ALTER TABLE %.lease ADD stopping boolean NOT NULL DEFAULT false;
    `,
  },
]

/**
 * Brings the schema up to date, and returns the names of unknown migrations, which a newer version has added. It is one
 * statement, so that it happens completely or not at all with any driver; two processes may try at once.
 */
export async function migrate(db: PostgresDatabase, schema: string): Promise<string[]> {
  const steps = migrations.map(
    ({ name, sql }) => `
      IF NOT EXISTS (SELECT 1 FROM ${schema}.migration WHERE name = '${name}') THEN
        ${sql.replaceAll('%.', `${schema}.`)}
        INSERT INTO ${schema}.migration VALUES ('${name}', (extract(epoch FROM now()) * 1000)::bigint);
      END IF;`,
  )
  await db.query(`
    DO $migration$ BEGIN
      -- An arbitrary number; the lock lasts until the statement ends.
      PERFORM pg_advisory_xact_lock(7265544810);
      CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE TABLE IF NOT EXISTS ${schema}.migration (name text PRIMARY KEY, applied_at bigint NOT NULL);
      ${steps.join('\n')}
    END $migration$`)
  const { rows } = await db.query(`SELECT name FROM ${schema}.migration`)
  const known = new Set(migrations.map(({ name }) => name))
  return (rows as { name: string }[]).map(({ name }) => name).filter((name) => !known.has(name))
}
