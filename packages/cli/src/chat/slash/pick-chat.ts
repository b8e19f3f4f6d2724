import type { Conversations, ListedConversation } from 'colloquy/conversation'
import { formatUsd } from 'colloquy/protocol'
import { UsageError } from '../../exit.ts'
import { ageText, countText, oneLine } from '../../format.ts'
import { allChats, matchingChats } from '../stored-chats.ts'
import type { PickSource } from '../surface/picker.ts'
import { textOf } from '../content/transcript.ts'

/** The most lines of a preview. */
const maxPreview = 8

/** The most chats that are shown. */
const maxShown = 100

/** The chats as rows to pick from. The open one cannot be deleted. */
export function chatsToPick(chats: Conversations, openId: string | undefined): PickSource {
  // Listed once: each letter that is typed only filters them.
  let all: ListedConversation[] | undefined
  return {
    prompt: 'resume: ',
    verbs: { open: 'opens', remove: 'deletes' },
    question: 'Delete the marked chat for good? y or n',
    async search(words) {
      all ??= await allChats(chats)
      const found = (await matchingChats(chats, all, words)).slice(0, maxShown)
      return { rows: found.map((chat) => ({ id: chat.id, line: chatLine(chat) })), total: all.length }
    },
    async preview(id) {
      const { messages, settings } = await chats.open(id)
      const lines = messages.slice(-maxPreview + 1).map((message) => {
        return `${message.role === 'user' ? '>' : ' '} ${oneLine(textOf(message)).slice(0, 200)}`
      })
      return [settings.model, ...lines]
    },
    async remove(id) {
      if (id === openId) throw new UsageError('Cannot delete this chat while it is open: /new first')
      await chats.delete(id)
      all = undefined
    },
  }
}

/** `Parsing dates · 5 min ago · 4 messages · $0.0329`. */
function chatLine({ title, updatedAt, messages, cost }: ListedConversation): string {
  const price = cost.picoUsd > 0n ? formatUsd(cost.picoUsd) : undefined
  const facts = [title ?? 'untitled', ageText(updatedAt), countText(messages, 'message'), price]
  return facts.filter((fact) => fact !== undefined).join(' · ')
}
