import type { Branch, Conversation, ConversationMessage } from 'colloquy/conversation'
import { formatUsd } from 'colloquy/protocol'
import { UsageError } from '../../../exit.ts'
import { ageText, countText, firstLine } from '../../../format.ts'
import { change, say, showMessages, type Effect } from '../../chat-state.ts'
import { forkOf, resumeHint, tailOf } from '../../stored-chats.ts'
import { textOf } from '../../content/transcript.ts'
import { branchesToPick } from './branch-tree.ts'
import { lastReply, openConversation, type SlashInput } from '../command.ts'

export async function versions(input: SlashInput): Promise<Effect[]> {
  const reply = lastReply(input)
  const found = await openConversation(input).versions(reply.id)
  const rows = found.map((version, index) => versionLine(version, `${index + 1}/${found.length}`, reply.id))
  return [say(...rows, '  /prev and /next switch between them')]
}

export async function stepVersion(input: SlashInput, step: -1 | 1): Promise<Effect[]> {
  const conversation = openConversation(input)
  const reply = lastReply(input)
  const found = await conversation.versions(reply.id)
  const index = found.findIndex(({ id }) => id === reply.id)
  const other = found[index + step]
  if (other === undefined) return [say(`This is version ${index + 1} of ${found.length}.`)]
  await conversation.switchTo(other.id)
  return [showMessages(other), say('', `‹${index + step + 1}/${found.length}›`)]
}

/** The tree of the messages to pick from; on a surface without a picker, or with a number, the branches as a list. */
export async function branches(input: SlashInput): Promise<Effect[]> {
  const conversation = openConversation(input)
  const [which] = input.words
  if (which !== undefined) {
    const found = await conversation.branches()
    const branch = found[Number(which) - 1]
    if (branch === undefined) throw new UsageError(`Cannot switch to branch ${which}: the last is ${found.length}`)
    return switchTo(conversation, branch.messageId)
  }
  return [
    {
      kind: 'pick',
      source: branchesToPick(conversation),
      onPick: (id) => switchTo(conversation, id),
      otherwise: () => listBranches(conversation),
    },
  ]
}

/** `/fork`: continues in a copy of the chat, without its last turns if a number is given. */
export async function fork(input: SlashInput): Promise<Effect[]> {
  const conversation = openConversation(input)
  const [count = '0'] = input.words
  if (!/^\d{1,4}$/.test(count)) throw new UsageError(`Cannot fork without ${count} turns: give a number`)
  const copy = await forkOf(conversation, Number(count))
  const { lines, messages } = tailOf(copy)
  const hint = resumeHint(conversation, input.context.isSaved)
  return [
    change({ conversation: copy, editedMessageId: undefined, unsentText: undefined }),
    say(...lines),
    ...(count === '0' ? [] : [showMessages(...messages), say('')]),
    say(
      hint === undefined
        ? 'The chat continues in this copy.'
        : `The chat continues in this copy. To return to the other, ${hint}`,
    ),
  ]
}

async function listBranches(conversation: Conversation): Promise<Effect[]> {
  const found = await conversation.branches()
  const rows = await Promise.all(found.map((branch, index) => branchLine(conversation, branch, index)))
  return [say(...rows, '  /branches N switches')]
}

async function switchTo(conversation: Conversation, messageId: string): Promise<Effect[]> {
  await conversation.switchTo(messageId)
  const { lines, messages } = tailOf(conversation)
  return [say(...lines), showMessages(...messages)]
}

function versionLine(version: ConversationMessage, position: string, currentId: string): string {
  const mark = version.id === currentId ? '›' : ' '
  const price = version.costPicoUsd === undefined ? '' : ` · ${formatUsd(version.costPicoUsd)}`
  return `${mark} ${position}  ${firstLine(textOf(version))} · ${version.model ?? ''}${price}`
}

async function branchLine(conversation: Conversation, branch: Branch, index: number): Promise<string> {
  const { messageId, isActive, length, updatedAt, usage } = branch
  const last = (await conversation.versions(messageId)).find(({ id }) => id === messageId)
  const price = usage.cost.picoUsd > 0n ? ` · ${formatUsd(usage.cost.picoUsd)}` : ''
  const text = last === undefined ? '' : ` · ${firstLine(textOf(last))}`
  const mark = isActive ? '›' : ' '
  return `${mark} ${index + 1}  ${countText(length, 'message')} · ${ageText(updatedAt)}${price}${text}`
}
