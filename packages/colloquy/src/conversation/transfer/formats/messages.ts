import type { MessageParam } from '../../../protocol/types/params.ts'
import { ContentError } from '../../errors.ts'
import { checkMessage, waitingCalls } from '../../history/content.ts'
import { cutMembers } from '../../history/exact/json-members.ts'
import { mapped, type Pausable } from '../../in-slices.ts'
import { valueOf } from '../lines.ts'
import { aboutReply, type ListItem, type SourceConversation, type SourceMessage } from '../source.ts'
import { keysOf } from '../values.ts'

/**
 * Reads messages in the API's form: as they are sent, or whole responses.
 *
 * Throws a `ContentError` for a message whose role, content or tool results the API refuses.
 */
export function* readMessages(list: readonly ListItem[]): Pausable<SourceConversation> {
  let before: MessageParam | undefined
  const messages = yield* mapped(list, ({ line, json, value }, index) => {
    const message = value as MessageParam
    if (typeof message !== 'object' || message === null || !Object.hasOwn(message, 'role')) {
      throw new ContentError(`Cannot import message ${index + 1}: it has no role, found ${keysOf(message)}`)
    }
    try {
      checkMessage(message, waitingCalls(before))
    } catch (error) {
      throw new ContentError(`Cannot import message ${index + 1}: ${(error as Error).message}`, { cause: error })
    }
    before = message
    return messageIn(cutMembers(json), { line, parent: index, createdAt: 0 })
  })
  return { settings: {}, messages, head: messages.length, keepsOpenCalls: true }
}

/** Members that the API adds to a message that it returns, and refuses in a message that is sent. */
const responseMembers = new Set([
  'id',
  'type',
  'model',
  'stop_reason',
  'stop_sequence',
  'stop_details',
  'usage',
  'container',
  'context_management',
  'input_transformations',
  'diagnostics',
  'parsed_output',
])

function messageIn(
  members: ReadonlyMap<string, string>,
  place: Pick<SourceMessage, 'line' | 'parent' | 'createdAt'>,
): SourceMessage {
  const isResponse = members.has('usage') && members.has('model')
  const others = [...members.keys()].filter(
    (name) => name !== 'role' && name !== 'content' && !responseMembers.has(name),
  )
  if (others.length > 0) place.line.repaired(`left out: ${others.join(', ')}`)
  return {
    ...place,
    role: valueOf(members, 'role') as string,
    content: members.get('content')!,
    ...(isResponse && { about: aboutReply((name) => valueOf(members, name)) }),
  }
}
