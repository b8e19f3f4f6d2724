import type { Conversation, Reply } from 'colloquy/conversation'
import { toUsd, type Message } from 'colloquy/protocol'
import { costLine } from '../../chat/reply/cost-line.ts'
import { refusalFacts } from '../../chat/reply/refusal.ts'
import { meantModel } from '../../chat/settings/model-name.ts'
import type { ReplyFile } from '../../chat/reply/reply-file.ts'
import { keyAdvice } from '../../engine/credentials.ts'
import type { Connection } from '../../engine/connect.ts'
import type { ChatTools } from '../../mcp/chat-tools.ts'
import type { ErrorDescription } from '../../errors/describe-error.ts'
import { ExitCode } from '../../exit.ts'
import { withPeriod } from '../../format.ts'
import { windowTokens } from '../../chat/settings/settings.ts'

/** Everything known when `ask` ends. After a failure some of it is missing. */
export interface AskOutcome {
  chat?: Conversation
  connection?: Connection
  /** The reply, also if it is partial. */
  message?: Message | undefined
  /** The complete reply. */
  reply?: Reply
  /** The value of the reply, with `--json-schema`. */
  parsed?: unknown
  /** With `--extract`: the reply has no code block. */
  lacksCode?: boolean
  /** With `--max-cost`. */
  hasBudget?: boolean
  failure?: ErrorDescription
  /** With `--mcp`. */
  tools?: ChatTools | undefined
  /** The file of `--out`. */
  file?: ReplyFile
  /** From the request to the end of the reply. */
  ms?: number
  /** From the request to the first delta. */
  firstTokenMs?: number
}

/** The object that `--output json` prints, with the same fields after a success and after a failure. */
export function resultOf(outcome: AskOutcome): object {
  const { chat, connection, message, reply, parsed = null, failure, ms = 0, firstTokenMs } = outcome
  return {
    id: message?.id ?? null,
    chat_id: chat?.id ?? null,
    model: message?.model ?? chat?.settings.model ?? null,
    text: textOf(message),
    content: message?.content ?? [],
    parsed_output: parsed,
    stop_reason: reply?.stopReason ?? (message === undefined ? null : 'interrupted'),
    usage: reply?.usage ?? message?.usage ?? null,
    cost: costOf(outcome),
    timing: { ms: Math.round(ms), first_token_ms: firstTokenMs === undefined ? null : Math.round(firstTokenMs) },
    request_id: failure?.requestId ?? connection?.latest.requestId ?? null,
    error:
      failure === undefined ? null : { type: failure.type, message: failure.sentence, exit_code: failure.exitCode },
  }
}

/** The lines for standard error: a failure, a reply that was cut off or refused, and the usage if it is wanted. */
export function notesOf(outcome: AskOutcome, wantsUsage: boolean): string[] {
  const { failure, reply, lacksCode } = outcome
  const notes: string[] = []
  if (lacksCode) notes.push('The reply has no code block: this is all of it.')
  if (failure !== undefined && failure.exitCode !== ExitCode.interrupted)
    notes.push([failure.line, adviceAfter(failure, outcome)].join(' ').trimEnd())
  if (reply?.stopReason === 'max_tokens') {
    const limit = isCutByBudget(outcome) ? '--max-cost allows no more' : '--max-tokens sets the limit'
    notes.push(`Cut off at ${reply.usage.output_tokens} tokens: ${limit}.`)
  }
  if (reply?.stopReason === 'refusal') notes.push(withPeriod(`Refused${refusalFacts(reply.message)}`))
  const isEmpty = reply !== undefined && reply.stopReason !== 'max_tokens' && textOf(reply.message).trim() === ''
  if (isEmpty) notes.push(emptyText(reply.message))
  if (wantsUsage && reply !== undefined) notes.push(usageLine(reply, outcome))
  return notes
}

/** Whether `--max-cost` shortened the reply: it was cut off before the longest one that its chat allows. */
export function isCutByBudget({ reply, chat, connection, hasBudget = false }: AskOutcome): boolean {
  if (!hasBudget || reply?.stopReason !== 'max_tokens' || chat === undefined || connection?.isLocal) return false
  return reply.message.usage.output_tokens < chat.settings.max_tokens
}

/** Advice after a failure: about the key or the model, if it is about these. */
function adviceAfter({ exitCode, type, advice }: ErrorDescription, { connection, chat }: AskOutcome): string {
  if (exitCode === ExitCode.key && connection) return keyAdvice(connection.kind)
  const meant = type === 'not_found_error' && chat ? meantModel(chat.settings.model) : undefined
  return meant === undefined ? advice : `Did you mean ${meant}?`
}

/** The text blocks of the message, joined. */
export function textOf(message: Message | undefined): string {
  return (message?.content ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('')
}

function usageLine({ message, usage, cost }: Reply, { chat, connection, ms = 0, firstTokenMs }: AskOutcome): string {
  const figures = {
    model: message.model,
    usage,
    cost,
    isEstimated: cost?.estimated === true,
    isLocal: connection?.isLocal === true,
    window: connection === undefined ? undefined : windowTokens(connection.kind, message.model),
    ms,
    writingMs: ms - (firstTokenMs ?? ms),
    chat: chat?.cost ?? { picoUsd: 0n, estimated: false, unpriced: 0 },
  }
  return costLine(figures, 'full')
}

function costOf({ reply, connection }: AskOutcome): object {
  const cost = reply?.cost
  if (connection?.isLocal) return { usd: 0, estimated: false, by: 'local' }
  if (cost === undefined) return { usd: null, estimated: false, by: 'no price' }
  return { usd: toUsd(cost.picoUsd), estimated: cost.estimated, by: cost.price.source }
}

/** Why a reply has no text. */
function emptyText({ content }: Message): string {
  const tools = content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []))
  if (tools.length === 0) return 'The reply has no text.'
  return `The reply has no text: it calls ${[...new Set(tools)].join(', ')}, and there are no tools here.`
}
