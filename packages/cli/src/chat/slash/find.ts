import type { ListedConversation } from 'colloquy/conversation'
import { UsageError } from '../../exit.ts'
import { ageText, countText, oneLine } from '../../format.ts'
import { change, say, showMessages, type Effect } from '../chat-state.ts'
import { findChats, resumeHint, shortId, tailOf } from '../stored-chats.ts'
import { openConversation, type SlashInput } from './command.ts'
import { chatsToPick } from './pick-chat.ts'

/** The most chats that are listed. */
const maxListed = 20

export function newChat({ state, context }: SlashInput): Effect[] {
  const hint = resumeHint(state.conversation, context.isSaved)
  return [
    change({ conversation: undefined, attachments: [], editedMessageId: undefined, unsentText: undefined }),
    say(hint === undefined ? 'A new chat.' : `A new chat. To return to the other, ${hint}`),
  ]
}

export async function resume(input: SlashInput): Promise<Effect[]> {
  const { state, context, rest } = input
  const numbered = /^\d{1,2}$/.test(rest) ? state.lastListedIds[Number(rest) - 1] : undefined
  if (numbered !== undefined) return openChat(input, numbered)
  if (rest === '') return pickOne(input)
  const found = await findChats(context.chats, rest)
  const [first] = found
  if (first === undefined) {
    return [say(`No chat matches ${rest}. /resume lists the last ones.`)]
  }
  if (found.length === 1) return openChat(input, first.id)
  return listed(found)
}

/** A list to pick from; on a surface without one the last chats, to be opened by number. */
async function pickOne(input: SlashInput): Promise<Effect[]> {
  const { chats } = input.context
  const last = await chats.list({ limit: 10 })
  if (last.length === 0) return [say('No chats yet.')]
  return [
    {
      kind: 'pick',
      source: chatsToPick(chats, input.state.conversation?.id),
      onPick: (id) => openChat(input, id),
      otherwise: async () => listed(last),
    },
  ]
}

export async function search({ context, rest }: SlashInput): Promise<Effect[]> {
  if (rest === '') throw new UsageError('Cannot search: give the words, as in /search trip japan')
  const hits = await context.chats.search(rest, { limit: maxListed })
  if (hits.length === 0) return [say(`No message contains ${rest}.`)]
  const rows = hits.map(({ conversationId, title: name, excerpt }, index) => {
    return `${numberOf(index)}  ${shortId(conversationId)}  ${name ?? 'untitled'}: ${oneLine(excerpt)}`
  })
  return [
    change({ lastListedIds: hits.map(({ conversationId }) => conversationId) }),
    say(...rows, '    /resume N opens one'),
  ]
}

export async function title(input: SlashInput): Promise<Effect[]> {
  const conversation = openConversation(input)
  if (input.rest !== '') await conversation.rename(input.rest)
  return [say(`“${conversation.title ?? 'untitled'}”`)]
}

function listed(found: readonly ListedConversation[]): Effect[] {
  const shown = found.slice(0, maxListed)
  const rows = shown.map(({ id, title: name, updatedAt, messages }, index) => {
    const facts = `${ageText(updatedAt)} · ${countText(messages, 'message')}`
    return `${numberOf(index)}  ${shortId(id)}  ${name ?? 'untitled'} · ${facts}`
  })
  const hidden = found.length - shown.length
  const more = hidden > 0 ? [`    ${hidden} more: add words to find one`] : []
  return [change({ lastListedIds: shown.map(({ id }) => id) }), say(...rows, ...more, '    /resume N opens one')]
}

async function openChat({ context }: SlashInput, id: string): Promise<Effect[]> {
  const conversation = await context.chats.open(id)
  const { lines, messages } = tailOf(conversation)
  return [
    change({ conversation, editedMessageId: undefined, unsentText: undefined }),
    say(...lines),
    showMessages(...messages),
  ]
}

function numberOf(index: number): string {
  return String(index + 1).padStart(2)
}
