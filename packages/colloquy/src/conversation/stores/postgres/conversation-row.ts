import { ConversationNotFoundError } from '../../errors.ts'
import { checkVersion } from '../conflict.ts'
import { type PostgresConnection, statement } from './connection.ts'

export interface ConversationRow {
  id: number
  version: number
  head: number
  last: number
}

const find = statement(
  'find the conversation',
  'SELECT id::float8 AS id, version, head, last FROM %.conversation WHERE public_id = :id',
)

/** Finds the row of a conversation by its public id. Throws a `ConversationNotFoundError` if there is none. */
export async function findConversation(db: PostgresConnection, id: string): Promise<ConversationRow> {
  const row = await db.row<ConversationRow>(find, { id })
  if (row === undefined) throw new ConversationNotFoundError(id)
  return row
}

/** Throws the error that explains why a statement changed nothing: the conversation, its version or the message. */
export async function refuseChange(
  db: PostgresConnection,
  id: string,
  version: number,
  message: number,
): Promise<never> {
  checkVersion(id, await findConversation(db, id), version)
  throw new ConversationNotFoundError(id, String(message))
}
