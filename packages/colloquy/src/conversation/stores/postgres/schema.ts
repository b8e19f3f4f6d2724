import { placeSql } from '../stored-message.ts'

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
  {
    name: '0009 cheaper turns',
    sql: `
      -- The lease of a reply is a part of its row. All null once it has ended.
      ALTER TABLE %.message ADD owner text, ADD until bigint, ADD stopping boolean, ADD held_pico_usd bigint,
        ADD held_tokens bigint, ADD accounts text;
      UPDATE %.message SET owner = lease.owner, until = lease.until, stopping = lease.stopping,
          held_pico_usd = lease.held_pico_usd, held_tokens = lease.held_tokens, accounts = lease.accounts
        FROM %.lease WHERE lease.message = %.message.id;
      CREATE INDEX ON %.message (conversation) WHERE accounts IS NOT NULL;

      -- Replies with a smaller number have ended. Messages up to indexed_to are in the search index.
      ALTER TABLE %.conversation ADD in_flight_from integer NOT NULL DEFAULT 1, ADD indexed_to integer NOT NULL DEFAULT 0;
      UPDATE %.conversation c SET in_flight_from = coalesce(
        (SELECT min(number) FROM %.lease l JOIN %.message m ON m.id = l.message WHERE l.conversation = c.id), last + 1);
      DROP TABLE %.lease;

      -- No index has a column that a turn changes, and pages have room for the new version of a row: then an update adds
      -- nothing to any index.
      DROP INDEX %.conversation_updated_at_id_idx;
      ALTER TABLE %.conversation SET (fillfactor = 50);
      ALTER TABLE %.message SET (fillfactor = 80);

      -- The search index is filled by searching, not by writing.
      ALTER TABLE %.message DROP words;
      CREATE TABLE %.search (
        message bigint PRIMARY KEY REFERENCES %.message ON DELETE CASCADE,
        words   text NOT NULL
      );
      -- Replies that had not ended when the index came to them.
      CREATE TABLE %.search_later (message bigint PRIMARY KEY REFERENCES %.message ON DELETE CASCADE);
      BEGIN
        CREATE INDEX ON %.search USING gin (words gin_trgm_ops);
      EXCEPTION WHEN undefined_object THEN
        NULL;
      END;

      -- The steps of a turn are functions, because a session plans their statements once.

      -- Returns no row, and changes nothing, if the version is old, the key is used or the parent does not exist.
      CREATE FUNCTION %.begin_turn(p_id text, p_version integer, p_parent integer, p_count integer, p_messages json,
        p_role text, p_key text, p_title text, p_at bigint, p_owner text, p_until bigint, p_pico_usd bigint,
        p_tokens bigint, p_accounts text, p_limited text)
      RETURNS TABLE (begun_version integer, begun_last integer, handle float8) LANGUAGE plpgsql AS $function$
      DECLARE
        taken record;
      BEGIN
        UPDATE %.conversation c SET version = version + 1, last = last + p_count + 1, updated_at = p_at,
          head = CASE p_role WHEN 'summary' THEN head ELSE last + p_count + 1 END, title = coalesce(title, p_title),
          in_flight_from = coalesce((SELECT min(number) FROM %.message WHERE conversation = c.id
            AND number >= c.in_flight_from AND state IN ('pending', 'streaming', 'awaiting_tools')), last + p_count + 1)
        WHERE public_id = p_id AND version = p_version
          AND (p_parent IN (0, head)
            OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = p_parent))
          AND (p_key IS NULL OR NOT EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND key = p_key))
        RETURNING id, version, last INTO taken;
        IF NOT FOUND THEN
          RETURN;
        END IF;
        INSERT INTO %.message (conversation, number, parent, role, state, created_at, key, json, checksum)
          SELECT taken.id, taken.last - p_count - 1 + i,
            CASE i WHEN 1 THEN p_parent ELSE taken.last - p_count - 2 + i END, value->>'role', 'committed', p_at,
            CASE i WHEN p_count THEN p_key END, value->>'json', (value->>'checksum')::integer
          FROM json_array_elements(p_messages) WITH ORDINALITY AS given (value, i);
        INSERT INTO %.message (conversation, number, parent, role, state, created_at, json, owner, until, held_pico_usd,
            held_tokens, accounts)
          VALUES (taken.id, taken.last, CASE p_count WHEN 0 THEN p_parent ELSE taken.last - 1 END, p_role, 'pending',
            p_at, '', p_owner, p_until, p_pico_usd, p_tokens, p_accounts)
          RETURNING id INTO handle;
        -- Raises an error, which undoes all of this, if the reservation exceeds a limit.
        IF p_limited IS NOT NULL THEN
          PERFORM %.enter(p_limited, 0, 0, p_pico_usd, p_tokens, 0);
        END IF;
        begun_version := taken.version;
        begun_last := taken.last;
        RETURN NEXT;
      END $function$;

      -- Returns the number of the reply; null if it has ended before. A reply without a known price is charged with its
      -- whole reservation.
      CREATE FUNCTION %.finish_turn(p_handle bigint, p_state text, p_json text, p_received text, p_reply text,
        p_checksum integer, p_pico_usd bigint, p_tokens bigint) RETURNS integer LANGUAGE plpgsql AS $function$
      DECLARE
        ended record;
      BEGIN
        DELETE FROM %.delta WHERE message = p_handle;
        UPDATE %.message SET state = p_state, json = p_json, received = p_received, reply = p_reply, checksum = p_checksum,
          owner = CASE p_state WHEN 'awaiting_tools' THEN owner END, until = CASE p_state WHEN 'awaiting_tools' THEN until END
        WHERE id = p_handle AND state IN ('pending', 'streaming', 'awaiting_tools')
        RETURNING number, accounts, held_pico_usd, held_tokens INTO ended;
        IF ended.accounts IS NOT NULL AND p_state <> 'awaiting_tools' THEN
          UPDATE %.message SET (accounts, held_pico_usd, held_tokens) = (NULL, NULL, NULL) WHERE id = p_handle;
          PERFORM %.enter(ended.accounts, coalesce(p_pico_usd, ended.held_pico_usd), p_tokens, -ended.held_pico_usd,
            -ended.held_tokens, (p_pico_usd IS NULL)::integer);
        END IF;
        RETURN ended.number;
      END $function$;
    `,
  },
  {
    name: '0010 place checksums',
    sql: `
      -- CRC-32 of number, parent, role, time and the id of the conversation. Null if an earlier version wrote the row.
      ALTER TABLE %.message ADD place_checksum integer;

      -- Returns no row, and changes nothing, if the version is old, the key is used or the parent does not exist.
      CREATE FUNCTION %.begin_turn(p_id text, p_version integer, p_parent integer, p_count integer, p_messages json,
        p_role text, p_key text, p_title text, p_at bigint, p_owner text, p_until bigint, p_pico_usd bigint,
        p_tokens bigint, p_accounts text, p_limited text, p_origin integer)
      RETURNS TABLE (begun_version integer, begun_last integer, handle float8) LANGUAGE plpgsql AS $function$
      DECLARE
        taken record;
        reply_parent integer;
      BEGIN
        UPDATE %.conversation c SET version = version + 1, last = last + p_count + 1, updated_at = p_at,
          head = CASE p_role WHEN 'summary' THEN head ELSE last + p_count + 1 END, title = coalesce(title, p_title),
          in_flight_from = coalesce((SELECT min(number) FROM %.message WHERE conversation = c.id
            AND number >= c.in_flight_from AND owner IS NOT NULL), last + p_count + 1)
        WHERE public_id = p_id AND version = p_version
          AND (p_parent IN (0, head)
            OR EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND number = p_parent))
          AND (p_key IS NULL OR NOT EXISTS (SELECT 1 FROM %.message WHERE conversation = c.id AND key = p_key))
        RETURNING id, version, last INTO taken;
        IF NOT FOUND THEN
          RETURN;
        END IF;
        INSERT INTO %.message (conversation, number, parent, role, state, created_at, key, json, checksum, place_checksum)
          SELECT taken.id, n, follows, value->>'role', 'committed', p_at, CASE i WHEN p_count THEN p_key END, value->>'json',
            (value->>'checksum')::integer, ${placeSql("(value->>'origin')::integer", 'n', 'follows')}
          FROM json_array_elements(p_messages) WITH ORDINALITY AS given (value, i),
            LATERAL (SELECT (taken.last - p_count - 1 + i)::integer) AS numbered (n),
            LATERAL (SELECT CASE i WHEN 1 THEN p_parent ELSE n - 1 END) AS following (follows);
        reply_parent := CASE p_count WHEN 0 THEN p_parent ELSE taken.last - 1 END;
        INSERT INTO %.message (conversation, number, parent, role, state, created_at, json, place_checksum, owner, until,
            held_pico_usd, held_tokens, accounts)
          VALUES (taken.id, taken.last, reply_parent, p_role, 'pending', p_at, '',
            ${placeSql('p_origin', 'taken.last', 'reply_parent')}, p_owner, p_until, p_pico_usd, p_tokens, p_accounts)
          RETURNING id INTO handle;
        -- Raises an error, which undoes all of this, if the reservation exceeds a limit.
        IF p_limited IS NOT NULL THEN
          PERFORM %.enter(p_limited, 0, 0, p_pico_usd, p_tokens, 0);
        END IF;
        begun_version := taken.version;
        begun_last := taken.last;
        RETURN NEXT;
      END $function$;

      -- Returns the number of the reply; null if it has ended before. A reply without a known price is charged with its
      -- whole reservation. The lease stays if the turn continues.
      CREATE FUNCTION %.finish_turn(p_handle bigint, p_state text, p_json text, p_received text, p_reply text,
        p_checksum integer, p_pico_usd bigint, p_tokens bigint, p_continues boolean) RETURNS integer LANGUAGE plpgsql
        AS $function$
      DECLARE
        ended record;
      BEGIN
        DELETE FROM %.delta WHERE message = p_handle;
        -- Locked first and updated once: a second update of a row in one transaction checks the foreign key again, and
        -- would wait for a process that is erasing the conversation and waits for this row.
        SELECT number, accounts, held_pico_usd, held_tokens FROM %.message
          WHERE id = p_handle AND state IN ('pending', 'streaming') FOR NO KEY UPDATE INTO ended;
        UPDATE %.message SET state = p_state, json = p_json, received = p_received, reply = p_reply, checksum = p_checksum,
          owner = CASE WHEN p_continues THEN owner END, until = CASE WHEN p_continues THEN until END,
          accounts = NULL, held_pico_usd = NULL, held_tokens = NULL
        WHERE id = p_handle AND ended.number IS NOT NULL;
        IF ended.accounts IS NOT NULL THEN
          PERFORM %.enter(ended.accounts, coalesce(p_pico_usd, ended.held_pico_usd), p_tokens, -ended.held_pico_usd,
            -ended.held_tokens, (p_pico_usd IS NULL)::integer);
        END IF;
        RETURN ended.number;
      END $function$;
    `,
  },
  {
    name: '0011 erased leases',
    sql: `
      -- A reply that is erased in flight is charged with its whole reservation, because its usage will never be known, and loses
      -- its journal. A trigger sees the row as it is when it is erased: the statement that erases it, and had to wait for
      -- another process to write it, sees what was there before.
      CREATE FUNCTION %.end_erased() RETURNS trigger LANGUAGE plpgsql AS $function$
      BEGIN
        DELETE FROM %.delta WHERE message = OLD.id;
        IF OLD.accounts IS NOT NULL THEN
          PERFORM %.enter(OLD.accounts, OLD.held_pico_usd, OLD.held_tokens, -OLD.held_pico_usd, -OLD.held_tokens, 0);
        END IF;
        RETURN NULL;
      END $function$;
      CREATE TRIGGER end_erased AFTER DELETE ON %.message FOR EACH ROW WHEN (OLD.owner IS NOT NULL)
        EXECUTE FUNCTION %.end_erased();
    `,
  },
  {
    name: '0012 shelves',
    sql: `
      ALTER TABLE %.conversation ADD shelf text;
      CREATE INDEX ON %.conversation (shelf) WHERE shelf IS NOT NULL;
    `,
  },
  {
    name: '0013 folded letters',
    sql: `
      -- Letters that searches take for one since: ς and σ, the micro sign and μ, and so on. In the order of foldCase().
      UPDATE %.search SET words = translate(words, 'µſςϐϑϕϖϰϱϵẛᲀᲁᲂᲃᲄᲅᲆᲇᲈ\u0345', 'μsσβθφπκρεṡвдосттъѣꙋι')
        WHERE words ~ '[µſςϐϑϕϖϰϱϵẛᲀᲁᲂᲃᲄᲅᲆᲇᲈ\u0345]';
    `,
  },
]
