import type { ReplyRecord } from './money.ts'
import type { ConversationSettings } from './settings.ts'
import type { MessageRecord } from './store.ts'

/** A conversation as it is brought in from elsewhere. */
export interface Archive {
  title?: string | undefined
  settings: Partial<ConversationSettings>
  messages: MessageRecord[]
  head: number
}

/** A message that goes out as it stands. */
export function newRecord(
  message: Pick<MessageRecord, 'number' | 'parent' | 'role' | 'createdAt' | 'json'>,
): MessageRecord {
  return { ...message, state: 'committed', received: null, reply: null }
}

/** A copy of messages as a path of their own. They were paid for where they come from. */
export function copyPath(records: readonly MessageRecord[]): MessageRecord[] {
  return records.map((record, index) => ({ ...record, number: index + 1, parent: index, reply: unpaid(record.reply) }))
}

/** What is known of a reply, where no call of this conversation made it. */
export function unpaid(reply: string | null): string | null {
  if (reply === null) return null
  return JSON.stringify({ ...(JSON.parse(reply) as ReplyRecord), unpaid: true } satisfies ReplyRecord)
}

export function messageJson(role: string, content: string): string {
  return `{"role":${JSON.stringify(role)},"content":${content}}`
}
