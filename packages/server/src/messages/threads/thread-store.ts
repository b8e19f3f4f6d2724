import { type Database, rows, type Work } from '../../state/database.ts'

/** The sender of a request. A thread is found only by the key that created it. */
export interface ThreadOwner {
  workspace: string
  /** Empty without a key. */
  key_id: string
}

/** A row of the table `thread`. */
export interface ThreadRow extends ThreadOwner {
  id: string
  /** JSON of the parameters that all requests of the thread share. */
  fixed: string
  /** The id of its last reply. */
  head: string
  /** How many parts its history has. */
  parts: number
  expires_at: number
  /** The request that is continuing the thread, and the time until which no other one may. */
  claim_owner: string | null
  claim_until: number | null
}

/** A reply that can be continued, and the messages that led to it since the reply before. */
export interface NewReply {
  id: string
  /** JSON of a list of messages, the reply included. */
  messages: string
  expiresAt: number
}

const columns = 'id, workspace, key_id, fixed, head, parts, expires_at, claim_owner, claim_until'

/**
 * The threads of all workspaces. A thread never branches, so its history is a list of parts, one for each reply: continuing a
 * thread writes only what is new.
 */
export class ThreadStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Finds the thread that has a reply. It may have expired. */
  async find({ workspace, key_id }: ThreadOwner, reply: string): Promise<ThreadRow | undefined> {
    const [row] = await this.#db.rows<ThreadRow>(
      'read the thread',
      `SELECT ${columns} FROM %.thread WHERE id =
         (SELECT thread FROM %.thread_reply WHERE id = :reply AND workspace = :workspace AND key_id = :key_id)`,
      { reply, workspace, key_id },
    )
    return row
  }

  /** The history of a thread: for each part, JSON of a list of messages. */
  async history({ id, parts }: Pick<ThreadRow, 'id' | 'parts'>): Promise<string[]> {
    const sql = `SELECT messages FROM %.thread_part WHERE thread = :id AND position < :parts ORDER BY position`
    const found = await this.#db.rows<{ messages: string }>('read the thread', sql, { id, parts })
    return found.map(({ messages }) => messages)
  }

  /** Reserves the right to continue a reply. Returns false if the reply was continued, has expired or is being continued. */
  async claim(
    { id, head }: ThreadRow,
    owner: string,
    { now, until }: { now: number; until: number },
  ): Promise<boolean> {
    const claimed = await this.#db.rows(
      'continue the thread',
      `UPDATE %.thread SET claim_owner = :owner, claim_until = :until
       WHERE id = :id AND head = :head AND expires_at > :now AND (claim_owner IS NULL OR claim_until < :now)
       RETURNING id`,
      { id, head, owner, until, now },
    )
    return claimed.length > 0
  }

  /** Extends a claim; with `until` null, ends it. */
  async renew(id: string, owner: string, until: number | null): Promise<void> {
    const sql = `UPDATE %.thread SET claim_until = CAST(:until AS bigint), claim_owner = CAST(:next AS text)
      WHERE id = :id AND claim_owner = :owner`
    await this.#db.rows('continue the thread', sql, { id, owner, until, next: until === null ? null : owner })
  }

  /** Adds a thread with its first reply. */
  async create(id: string, owner: ThreadOwner, fixed: string, reply: NewReply): Promise<void> {
    await this.#db.transaction('store the thread', () => insertThread({ id, ...owner }, fixed, reply))
  }

  /** Adds a reply to a thread and ends the claim. Does nothing if the claim was lost. */
  async append(id: string, owner: ThreadOwner, claim: string, reply: NewReply): Promise<void> {
    await this.#db.transaction('store the thread', () => appendReply({ id, ...owner }, claim, reply))
  }

  /** Erases the threads that have expired and that no request is continuing. */
  async prune(now: number): Promise<void> {
    await this.#db.transaction('erase old threads', function* () {
      const old = yield* rows<{ id: string }>(
        `DELETE FROM %.thread WHERE expires_at <= :now AND (claim_until IS NULL OR claim_until < :now) RETURNING id`,
        { now },
      )
      const ids = JSON.stringify(old.map(({ id }) => ({ id })))
      for (const table of ['thread_part', 'thread_reply'])
        if (old.length > 0)
          yield* rows(`DELETE FROM %.${table} WHERE thread IN (SELECT row.id FROM json_rows(:ids, id text))`, { ids })
    })
  }
}

// A generator function made for each call would hold the reply until the next full garbage collection.

type ThreadPlace = Pick<ThreadRow, 'id' | 'workspace' | 'key_id'>

function* insertThread(thread: ThreadPlace, fixed: string, reply: NewReply): Work<void> {
  yield* rows(
    `INSERT INTO %.thread (id, workspace, key_id, fixed, head, parts, expires_at)
     VALUES (:id, :workspace, :key_id, :fixed, :head, 1, :expires_at)`,
    { ...thread, fixed, head: reply.id, expires_at: reply.expiresAt },
  )
  yield* insertPart(thread.id, 0, reply)
  yield* insertReply(thread, reply)
}

function* appendReply(thread: ThreadPlace, claim: string, reply: NewReply): Work<void> {
  const { id } = thread
  const [row] = yield* rows<{ parts: number }>(
    `UPDATE %.thread SET head = :head, parts = parts + 1, expires_at = :expires_at, claim_owner = NULL, claim_until = NULL
     WHERE id = :id AND claim_owner = :claim RETURNING parts`,
    { id, claim, head: reply.id, expires_at: reply.expiresAt },
  )
  if (row === undefined) return
  yield* insertPart(id, row.parts - 1, reply)
  yield* insertReply(thread, reply)
}

function insertPart(thread: string, position: number, { messages }: NewReply): ReturnType<typeof rows> {
  const sql = 'INSERT INTO %.thread_part (thread, position, messages) VALUES (:thread, :position, :messages)'
  return rows(sql, { thread, position, messages })
}

/** An engine may give two replies the same id: the later one is the one that can be continued. */
function insertReply({ id: thread, workspace, key_id }: ThreadPlace, { id }: NewReply): ReturnType<typeof rows> {
  return rows(
    `INSERT INTO %.thread_reply (id, workspace, key_id, thread) VALUES (:id, :workspace, :key_id, :thread)
     ON CONFLICT (id, workspace, key_id) DO UPDATE SET thread = excluded.thread`,
    { id, workspace, key_id, thread },
  )
}
