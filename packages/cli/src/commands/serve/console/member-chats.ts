import type { ConversationStore } from 'colloquy/conversation'

/** The store of the chats of members in the PostgreSQL database of keys and usage, so that several servers have the same chats. */
export async function memberStore(database: string): Promise<ConversationStore> {
  const { postgresStore } = await import('colloquy/conversation/postgres')
  // The server has loaded it for its keys.
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: database, connectionTimeoutMillis: 5_000 })
  // A connection that breaks is replaced by the pool, and its statement fails.
  pool.on('error', () => {})
  return postgresStore(pool, { end: () => pool.end() })
}
