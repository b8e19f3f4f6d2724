import { StoreError } from '../errors.ts'
import { paced } from '../in-slices.ts'
import { openRecovered } from '../turn/request/recovery.ts'
import type { RunningTurns } from '../turn/stream/running-turns.ts'
import type { ConversationRecord, ConversationStore, MessageRecord } from '../stores/store.ts'

/**
 * Writes a conversation as JSON Lines: itself, then every message by number. A damaged message is a line with its error, and
 * damaged settings are left out.
 */
export async function* exportConversation(
  store: ConversationStore,
  id: string,
  turns: RunningTurns,
): AsyncGenerator<string> {
  const { conversation } = await openRecovered(store, id, { messages: false, turns })
  yield conversationLine(conversation)
  for await (const message of paced(store.messages(id))) yield exportMessage(message)
}

function conversationLine({ id, metadata, shelf, title, settings, head, createdAt }: ConversationRecord): string {
  const about = {
    type: 'conversation',
    id,
    title,
    createdAt: new Date(createdAt).toISOString(),
    head: idOf(head),
    ...(shelf && { shelf }),
  }
  const exact = `"settings":${settings || '{}'}${metadata === null ? '' : `,"metadata":${metadata}`}`
  return `${JSON.stringify(about).slice(0, -1)},${exact}}`
}

function exportMessage(record: MessageRecord): string {
  try {
    return messageLine(record)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const { number, parent } = record
    return JSON.stringify({ type: 'damaged', id: idOf(number), parentId: idOf(parent), error: error.message })
  }
}

/** The exact message that is sent, the one that was received if it differs, and what is known about a reply. */
function messageLine({ number, parent, role, state, createdAt, json, received, reply }: MessageRecord): string {
  const about = {
    type: 'message',
    id: idOf(number),
    parentId: idOf(parent),
    // Every other message names its role itself.
    ...(role === 'summary' && { role }),
    state,
    createdAt: new Date(createdAt).toISOString(),
  }
  const exact = [
    ...(reply === null ? [] : [`"reply":${reply}`]),
    ...(received === null ? [] : [`"received":${inLine(received)}`]),
    ...(json === '' ? [] : [`"message":${inLine(json)}`]),
  ]
  return `${JSON.stringify(about).slice(0, -1)}${exact.map((member) => `,${member}`).join('')}}`
}

/** JSON with line ends, which models write between the tokens of a tool's input, is written as a string. */
function inLine(json: string): string {
  return /[\n\r]/.test(json) ? JSON.stringify(json) : json
}

function idOf(number: number): string | null {
  return number === 0 ? null : String(number)
}
