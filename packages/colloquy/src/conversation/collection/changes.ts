import { aboveZero, checkOptions, has, type Rule, text } from '../../engines/check-options.ts'
import type { ConversationStore, ConversationSummary } from '../stores/store.ts'
import { type ListedConversation, showListed } from '../history/view.ts'

/** A change of a conversation, by this or another process. */
export type ConversationChange =
  /** The first one: changes from here on are yielded. Read now what depends on them. */
  | { type: 'ready' }
  /** A conversation is new or has changed: its messages, title, settings, owner, or whether a reply is arriving. */
  | { type: 'changed'; conversation: ListedConversation }
  | { type: 'deleted'; id: string }

/** Options of `changes()`. */
export interface ChangesOptions {
  /** Yields only changes of conversations of this owner. Default: of all conversations. */
  owner?: string
  /** Ends the loop when it aborts. */
  signal?: AbortSignal
  /** How often the store is read, in milliseconds. Default 500. */
  pollMs?: number
}

const rules: Record<keyof ChangesOptions, Rule> = {
  owner: text,
  signal: has('addEventListener'),
  pollMs: aboveZero,
}

/** The conversations that are watched: the last used ones. A change of an older one makes it one of these. */
const watched = 200

/** Yields the changes of a store from now on. */
export async function* changesOf(
  store: ConversationStore,
  options: ChangesOptions,
): AsyncGenerator<ConversationChange> {
  checkOptions(options, rules, 'changes()')
  const { owner, signal, pollMs = 500 } = options
  let stamp = await store.stamp?.()
  let known = await readKnown(store, owner)
  yield { type: 'ready' }
  while (!signal?.aborted) {
    await sleep(pollMs, signal)
    if (signal?.aborted) return
    const next = await store.stamp?.()
    if (next !== undefined && next === stamp) continue
    stamp = next
    const now = await readKnown(store, owner)
    yield* differences(known, now)
    known = now
  }
}

type Known = ReadonlyMap<string, ConversationSummary>

async function readKnown(store: ConversationStore, owner: string | undefined): Promise<Known> {
  const listed = await store.list({ limit: watched, owner })
  return new Map(listed.map((summary) => [summary.id, summary]))
}

function* differences(before: Known, now: Known): Generator<ConversationChange> {
  for (const summary of now.values()) {
    const known = before.get(summary.id)
    const isSame = known?.version === summary.version && known.receiving === summary.receiving
    if (!isSame && (known !== undefined || isNewer(summary, before)))
      yield { type: 'changed', conversation: showListed(summary) }
  }
  for (const summary of before.values()) {
    if (!now.has(summary.id) && isNewer(summary, now)) yield { type: 'deleted', id: summary.id }
  }
}

/** Whether a conversation that is not in a list would be in it if it existed: it was used after the last one there. */
function isNewer({ updatedAt }: ConversationSummary, list: Known): boolean {
  const last = [...list.values()].at(-1)
  return list.size < watched || last === undefined || updatedAt > last.updatedAt
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}
