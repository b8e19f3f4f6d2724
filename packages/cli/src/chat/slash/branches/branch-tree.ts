import type { Conversation, ConversationMessage } from 'colloquy/conversation'
import { formatUsd } from 'colloquy/protocol'
import { ageText, firstLine } from '../../../format.ts'
import { missingReason, textOf } from '../../content/transcript.ts'
import type { PickRow, PickSource } from '../../surface/picker.ts'

/** The most lines of a preview. */
const maxPreview = 12
/** The widest picture in front of a message. Deeper forks show their last columns. */
const maxPicture = 24

/** A message of the tree, with the lines that lead to it. */
export interface TreeRow {
  message: ConversationMessage
  /** `│ ├─●` */
  picture: string
}

/**
 * The messages in the order of reading: each branch to its end before the next one begins. A chain without forks is not
 * indented. `●` marks the messages of the active branch.
 *
 * @param messages each after its parent, as `Conversation.tree()` has them.
 * @param active the ids of the messages on the active branch.
 */
export function treeRows(messages: readonly ConversationMessage[], active: ReadonlySet<string>): TreeRow[] {
  const children = Map.groupBy(messages, ({ parentId }) => parentId)
  const rows: TreeRow[] = []
  // A stack, since a chat is deeper than the call stack.
  const stack: { message: ConversationMessage; above: string; fork: string }[] = []
  const pushChildren = (id: string | undefined, above: string): void => {
    const below = children.get(id) ?? []
    const isFork = below.length > 1
    const entries = below.map((message, index) => {
      const isLast = index === below.length - 1
      return isFork
        ? { message, above: above + (isLast ? '  ' : '│ '), fork: `${above}${isLast ? '└─' : '├─'}` }
        : { message, above, fork: above }
    })
    stack.push(...entries.toReversed())
  }
  pushChildren(undefined, '')
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { message, above, fork } = next
    rows.push({ message, picture: `${cutPicture(fork)}${active.has(message.id) ? '●' : '○'}` })
    pushChildren(message.id, above)
  }
  return rows
}

/** The messages of a chat as rows to pick from. Picking one switches to its branch. */
export function branchesToPick(conversation: Conversation): PickSource {
  const read = async (): Promise<TreeRow[]> => {
    const messages = await Array.fromAsync(conversation.tree())
    return treeRows(messages, pathTo(messages, conversation.messages.at(-1)?.id))
  }
  return {
    prompt: 'branch: ',
    startId: conversation.messages.at(-1)?.id,
    verbs: { open: 'switches', remove: 'erases' },
    question: 'Erase the marked message and all that follow it for good? y or n',
    async search(words) {
      const rows = await read()
      const parts = words.toLowerCase().split(/\s+/)
      const found = rows.filter(({ message }) => {
        const text = textOf(message).toLowerCase()
        return parts.every((part) => text.includes(part))
      })
      return { rows: found.map(pickRow), total: rows.length }
    },
    async preview(id) {
      const message = (await read()).find((row) => row.message.id === id)?.message
      return message === undefined ? [] : [factsOf(message), ...textOf(message).split('\n').slice(0, maxPreview)]
    },
    remove: (id) => conversation.erase(id),
  }
}

/** The ids of a message and all before it, with replies of which nothing arrived. */
function pathTo(messages: readonly ConversationMessage[], lastId: string | undefined): Set<string> {
  const byId = new Map(messages.map((message) => [message.id, message]))
  const path = new Set<string>()
  for (let id = lastId; id !== undefined; id = byId.get(id)?.parentId) path.add(id)
  return path
}

function pickRow({ message, picture }: TreeRow): PickRow {
  const text = firstLine(missingReason(message) ?? textOf(message))
  return { id: message.id, line: `${picture} ${message.role === 'user' ? '> ' : ''}${text}` }
}

/** `claude-sonnet-5-5 · 5 min ago · $0.0329`. */
function factsOf({ role, model, createdAt, costPicoUsd }: ConversationMessage): string {
  const price = costPicoUsd === undefined ? undefined : formatUsd(costPicoUsd)
  return [model ?? role, ageText(createdAt), price].filter((fact) => fact !== undefined).join(' · ')
}

function cutPicture(picture: string): string {
  return picture.length <= maxPicture ? picture : `…${picture.slice(-maxPicture)}`
}
