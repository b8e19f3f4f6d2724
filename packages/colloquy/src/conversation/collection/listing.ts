import { AnthropicError } from '../../protocol/types/error.ts'
import { checkOptionNames, describeValue } from '../../protocol/json/option-names.ts'
import { jsonable } from '../../protocol/models/jsonable.ts'
import { idOf } from '../history/tree.ts'
import { checkShelf, type FoundMessage, type ListedConversation, showFound, showListed } from '../history/view.ts'
import { paced } from '../in-slices.ts'
import { dayOf } from '../money/spending.ts'
import { ConversationConflictError, ConversationNotFoundError } from '../errors.ts'
import type {
  ConversationRecord,
  ConversationStore,
  ConversationSummary,
  ListQuery,
  Shelf,
  Spending,
} from '../stores/store.ts'
import { checkText } from '../stores/text.ts'

/** The position and length of a page of conversations. */
export interface ListOptions {
  /** The most conversations that are returned. Default 50. */
  limit?: number
  /**
   * The last conversation of the previous page, as it was listed: the list then continues even if that one was deleted or used
   * meanwhile. Or the id of one that exists.
   */
  before?: string | Pick<ListedConversation, 'id' | 'updatedAt'>
  /** Lists only those that were last used before this time: `deleteUnusedSince()` would erase them. Default: all conversations. */
  usedBefore?: Date
  /** Lists only the conversations of this owner. Default: all conversations. */
  owner?: string
  /** Lists only those on this shelf; `none`: those that are neither pinned nor archived. Default: all conversations. */
  shelf?: Shelf | 'none'
  /** Lists only those whose title contains this text, in upper or lower case. At most 1,000 characters. Default: all. */
  title?: string
}

export async function listFrom(store: ConversationStore, options: ListOptions = {}): Promise<ListedConversation[]> {
  checkOptionNames(options, ['limit', 'before', 'usedBefore', 'owner', 'shelf', 'title'], 'list()')
  const { limit = 50, usedBefore: time, owner, shelf, title } = options
  if (shelf !== undefined && shelf !== 'none') checkShelf(shelf, 'list conversations')
  if (title !== undefined) checkTitlePart(title)
  const usedBefore = time === undefined ? undefined : timeOf(time, 'list')
  const before = await placeOf(store, options.before)
  const listed = await store.list({ limit: positive('limit', limit), before, usedBefore, owner, shelf, title })
  return (usedBefore === undefined ? listed : listed.filter(isDated)).map(showListed)
}

/** Earlier than any chat with a model: the clock of a machine stands at 1970 or 2000 until it is set. */
const earliestUse = Date.UTC(2022, 0)

/** Whether it is known when a conversation was last used. If not, it counts as used since. */
function isDated({ updatedAt }: Pick<ConversationRecord, 'updatedAt'>): boolean {
  return updatedAt >= earliestUse
}

async function placeOf(store: ConversationStore, before: ListOptions['before']): Promise<ListQuery['before']> {
  if (before === undefined) return undefined
  if (typeof before === 'object' && before !== null) {
    checkText('option before.id', before.id)
    return { id: before.id, updatedAt: timeOf(before.updatedAt, 'list') }
  }
  checkText('option before', before)
  const found = await store.open(before, { messages: false })
  if (found === undefined) throw new ConversationNotFoundError(before)
  return found.conversation
}

const maxTitlePart = 1_000

function checkTitlePart(title: string): void {
  checkText('option title', title)
  if (title.length <= maxTitlePart) return
  throw new RangeError(
    `Cannot list conversations as title must have at most ${maxTitlePart} characters: it has ${title.length}`,
  )
}

export async function searchIn(
  store: ConversationStore,
  query: string,
  options: { limit?: number; owner?: string } = {},
): Promise<FoundMessage[]> {
  checkOptionNames(options, ['limit', 'owner'], 'search()')
  const { limit = 20, owner } = options
  if (typeof query !== 'string')
    throw new AnthropicError(`Cannot search as the query must be text: found ${describeValue(query)}`)
  const words = query.split(/\s+/).filter((word) => word !== '')
  const found = words.length === 0 ? [] : await store.search(words, { limit: positive('limit', limit), owner })
  return found.map(showFound)
}

export async function spendingOf(
  store: ConversationStore,
  of: { user?: string; day?: string } = {},
): Promise<Spending> {
  checkOptionNames(of, ['user', 'day'], 'spending()')
  const { user = '', day } = of
  if (user !== '') checkText('user', user)
  const on = day === undefined ? undefined : checkDay(day)
  return jsonable(await store.spending({ user, day: on ?? (user === '' ? dayOf(store.now()) : '') }))
}

/** Yields each conversation, the most recently used first. They may be used or deleted meanwhile. */
export async function* listAll(store: ConversationStore, usedBefore?: number): AsyncGenerator<ConversationSummary> {
  const seen = new Set<string>()
  let before: ListQuery['before']
  do {
    const page = await store.list({ limit: 1_000, before, usedBefore, totals: false })
    before = page.at(-1)
    for (const each of page) {
      if (!seen.has(each.id)) yield each
      seen.add(each.id)
    }
  } while (before !== undefined)
}

export async function deleteOne(
  store: ConversationStore,
  id: string,
  options: { usedBefore?: Date } = {},
): Promise<void> {
  checkText('id', id)
  checkOptionNames(options, ['usedBefore'], 'delete()')
  const { usedBefore } = options
  if (await store.delete(id, usedBefore === undefined ? {} : { usedBefore: timeOf(usedBefore, 'delete') })) return
  const kept = await store.open(id, { messages: false })
  if (kept === undefined) throw new ConversationNotFoundError(id)
  throw new ConversationConflictError(id, 'moved', idOf(kept.conversation.head))
}

export async function deleteUnusedSince(store: ConversationStore, since: Date): Promise<number> {
  const usedBefore = timeOf(since, 'delete')
  const unused: string[] = []
  for await (const each of listAll(store, usedBefore)) if (isDated(each)) unused.push(each.id)
  let deleted = 0
  // One after the other: each is a transaction, and there may be thousands. Until its turn comes, one may be used again.
  for await (const id of paced(unused)) if (await store.delete(id, { usedBefore })) deleted++
  // Days are compared as texts, and later years have a sign.
  await store.forgetDays(dayOf(Math.min(usedBefore, Date.UTC(9999, 11, 31))))
  return deleted
}

function timeOf(date: Date, doing: string): number {
  // Not `instanceof`: the date may be of another realm.
  const time = Object.prototype.toString.call(date) === '[object Date]' ? date.getTime() : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new AnthropicError(
    `Cannot ${doing} conversations as the time must be a valid Date: found ${describeValue(date)}`,
  )
}

function checkDay(day: string): string {
  if (typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day)) return day
  const found = typeof day === 'string' ? day : describeValue(day)
  throw new RangeError(`Cannot read the spending as the day must be such as 2026-11-21: it is ${found}`)
}

function positive(name: string, value: number): number {
  // PostgreSQL takes limits of 32 bits.
  if (Number.isInteger(value) && value > 0) return Math.min(value, 2 ** 31 - 1)
  throw new RangeError(`Cannot list conversations as ${name} must be a positive integer: it is ${describeValue(value)}`)
}
