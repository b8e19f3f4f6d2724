import { storedRecord, tabRecord } from '../../shell/storage.ts'

/** Messages that were typed and not sent, by chat. */
const drafts = tabRecord<string>('drafts')

export function draftOf(chatId: string): string {
  return drafts.of(chatId) ?? ''
}

export function setDraft(chatId: string, text: string): void {
  drafts.set(chatId, text || undefined)
}

/** A message that is being edited. */
export interface Edit {
  /** The texts of its fields. */
  texts: readonly string[]
  /** Whether they are shown. An edit that was closed is kept until it is saved. */
  isOpen: boolean
}

const edits = tabRecord<Edit>('edits')

export function editOf(chatId: string, messageId: string): Edit | undefined {
  return edits.of(`${chatId} ${messageId}`)
}

/** Changes an edit, or forgets it. */
export function setEdit(chatId: string, messageId: string, edit: Edit | undefined): void {
  edits.set(`${chatId} ${messageId}`, edit)
}

/** The result of a tool call, as it was typed or as a tool returned it. */
export interface Result {
  text: string
  isError: boolean
  /** The content that a tool returned. A change of the text removes it. */
  content?: unknown
}

/** Results that were not sent, by chat and call. They may be long, and last as long as the tab. */
const results = storedRecord<Result>('results', 'sessionStorage')

export function resultOf(chatId: string, callId: string): Result | undefined {
  return results.of(`${chatId} ${callId}`)
}

/** Changes a result, or forgets it. */
export function setResult(chatId: string, callId: string, result: Result | undefined): void {
  results.set(`${chatId} ${callId}`, result)
}
