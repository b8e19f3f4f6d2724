import type { MessageParam } from '../../protocol/types/params.ts'
import { ContentError } from '../errors.ts'
import { checkMessage, waitingCalls } from '../history/content.ts'
import { type Archive, newRecord } from '../history/records.ts'

/** Makes a conversation of messages in the form of the API. Throws a `ContentError` if the API would refuse them. */
export function fromMessages(messages: readonly string[], at: number): Archive {
  let before: MessageParam | undefined
  const records = messages.map((json, index) => {
    const message = JSON.parse(json) as MessageParam
    try {
      checkMessage(message, waitingCalls(before))
    } catch (error) {
      throw new ContentError(`Cannot import message ${index + 1}: ${(error as Error).message}`, { cause: error })
    }
    before = message
    return newRecord({ number: index + 1, parent: index, role: message.role, createdAt: at, json })
  })
  return { settings: {}, messages: records, head: records.length }
}
