import type { Conversation, Reply } from 'colloquy/conversation'
import { APIError, APIUserAbortError, formatUsd, type Message } from 'colloquy/protocol'
import { describeError, isPromptTooLong } from '../../errors/describe-error.ts'
import { isOnThisMachine, type EngineKind } from '../../engine/engine-kind.ts'
import type { CostStyle } from '../chat-state.ts'
import { refusalFacts } from './refusal.ts'
import { meantModel } from '../settings/model-name.ts'
import { windowTokens } from '../settings/settings.ts'
import { costLine, stoppedFigures, type TurnFigures } from './cost-line.ts'
import type { ReplyProgress } from './reply-progress.ts'

/** The facts about a turn that its reply does not carry. */
export interface TurnFacts {
  conversation: Conversation
  progress: ReplyProgress
  engine: EngineKind
  /** How many of the first messages the reply before left out. */
  leftOut: number
  /** Advice for a user whose key the server does not accept. */
  keyAdvice: string
}

/** The lines below a finished reply: summaries that were written, why it ended early, and its cost. */
export async function replyNotes(reply: Reply, facts: TurnFacts, style: CostStyle): Promise<string[]> {
  const notes = [...summaryNotes(reply), ...leftOutNotes(reply, facts), ...endNotes(reply)]
  if (style === 'off') return notes
  const figures = figuresOf(reply.message, reply.cost, facts)
  // The line counts all steps. Only the last one fills the window.
  const usage = reply.steps.length > 1 ? reply.usage : figures.usage
  const line = costLine({ ...figures, usage, lastUsage: figures.usage }, style)
  const versions = await facts.conversation.versions(reply.messageId)
  const position = versions.findIndex(({ id }) => id === reply.messageId) + 1
  return [...notes, '', versions.length > 1 ? `${line} · ‹${position}/${versions.length}›` : line]
}

/** The lines below a reply that failed or was stopped. `error` is the error to show before them. */
export function failureNotes(
  error: unknown,
  message: Message | undefined,
  facts: TurnFacts,
): { error?: unknown; lines: string[] } {
  const partial = message !== undefined && message.content.length > 0 ? message : undefined
  if (error instanceof APIUserAbortError) return { lines: [stoppedNote(partial, facts)] }
  if (partial !== undefined) return { error, lines: ['The partial reply is saved: /continue, or /retry.'] }
  if (error instanceof APIError) return { error, lines: [hintFor(error, facts)] }
  return { error, lines: [describeError(error).advice].filter((advice) => advice !== '') }
}

function summaryNotes({ window }: Reply): string[] {
  return (window?.summaries ?? []).map(({ by, cost }) => {
    const price = cost === undefined ? 'no price' : formatUsd(cost.picoUsd)
    return `earlier turns were summarized · ${price}${by === 'api' ? ' of the cost below' : ''}`
  })
}

/** Says once that the beginning of the chat is no longer sent, and again when more of it is left out. */
function leftOutNotes({ window }: Reply, { conversation, leftOut }: TurnFacts): string[] {
  const dropped = window?.dropped ?? 0
  const isDropped = conversation.settings.window?.policy === 'drop' && dropped > 0 && dropped !== leftOut
  return isDropped ? [`the window is full: the first ${dropped} messages are no longer sent · /new`] : []
}

function endNotes({ message, stopReason, usage }: Reply): string[] {
  if (stopReason === 'max_tokens') return [`cut off at ${usage.output_tokens} tokens · /continue`]
  if (stopReason === 'refusal') return [`refused${refusalFacts(message)} · /edit  /undo`]
  if (stopReason === 'model_context_window_exceeded') return ['cut off: the window is full · /new']
  if (stopReason === 'tool_use') return ['This chat has no tools, and the reply waits for one · /undo  /retry']
  return message.content.length === 0 ? ['The reply is empty.'] : []
}

function stoppedNote(partial: Message | undefined, facts: TurnFacts): string {
  if (partial === undefined) return '■ stopped · before the reply began · /retry  /edit'
  // The conversation has estimated the cost when it saved the partial reply.
  const picoUsd = facts.conversation.messages.at(-1)?.costPicoUsd
  const figures = figuresOf(partial, picoUsd === undefined ? undefined : { picoUsd }, facts)
  return `■ stopped · kept · ${stoppedFigures(figures)} · /continue  /retry  /edit`
}

function figuresOf(
  message: Message,
  cost: { picoUsd: bigint; estimated?: boolean } | undefined,
  { conversation, progress, engine }: TurnFacts,
): TurnFigures {
  const isLocal = isOnThisMachine(engine)
  const model = isLocal ? conversation.settings.model : message.model
  return {
    model,
    usage: conversation.messages.at(-1)?.usage ?? message.usage,
    cost,
    isEstimated: cost?.estimated === true,
    isLocal,
    window: windowTokens(engine, model),
    ms: progress.ms,
    writingMs: progress.writingMs,
    chat: conversation.cost,
  }
}

/** Advice after a failure without any reply. */
function hintFor(error: APIError, facts: TurnFacts): string {
  const { type, advice } = describeError(error)
  if (type === 'authentication_error') return `Your message is saved. ${facts.keyAdvice} Then resume this chat.`
  if (isPromptTooLong(error, type)) return 'Your message is saved. /undo takes it back; /new starts a new chat.'
  if (type === 'not_found_error') {
    const meant = meantModel(facts.conversation.settings.model)
    const saved = 'Your message is saved. /model changes the model, /retry sends it again.'
    return meant === undefined ? saved : `Did you mean ${meant}? ${saved}`
  }
  const saved = 'Your message is saved: /retry sends it again, /undo takes it back.'
  return advice === '' ? saved : `${advice} ${saved}`
}
