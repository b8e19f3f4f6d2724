import { writeFileSync } from 'node:fs'
import type { Conversation, Reply, Turn } from 'colloquy/conversation'
import { toUsd, type ContentBlockParam, type Message, type MessageContentParam } from 'colloquy/protocol'
import { attach, mentionedFiles } from '../chat/attach.ts'
import { limitOf } from '../chat/budget.ts'
import type { Flags } from '../command.ts'
import { connect, engineKind, type Connection } from '../connect.ts'
import { costLine } from '../chat/cost-line.ts'
import { ExitCode, UsageError } from '../exit.ts'
import { failureOf, type Failure } from '../failure.ts'
import { readAll, stopOnSignals, type Stopping } from '../process.ts'
import { replyWriter, type ReplyWriter } from '../chat/reply-writer.ts'
import { chatFrom, openChats, settingsFrom } from '../chat/session.ts'

/** What is known at the end, however it ended. */
interface Outcome {
  chat: Conversation | undefined
  connection: Connection | undefined
  message: Message | undefined
  reply: Reply | undefined
  failure: Failure | undefined
  ms: number
  firstTokenMs: number | undefined
}

/** `colloquy ask`: one question, one reply. */
export async function ask(words: readonly string[], flags: Flags): Promise<number> {
  const format = flags.text('output') ?? 'text'
  const outcome: Outcome = {
    chat: undefined,
    connection: undefined,
    message: undefined,
    reply: undefined,
    failure: undefined,
    ms: 0,
    firstTokenMs: undefined,
  }
  const stopping = stopOnSignals()
  try {
    await answer(words, flags, outcome, stopping)
  } catch (error) {
    outcome.failure = failureOf(error)
  } finally {
    stopping.dispose()
  }
  report(format, flags, outcome)
  return exitCodeOf(flags, outcome, stopping)
}

async function answer(words: readonly string[], flags: Flags, outcome: Outcome, stopping: Stopping): Promise<void> {
  const content = await contentFrom(words, flags)
  const connection = await connect(engineKind(flags), flags)
  outcome.connection = connection
  connection.onRetry = ({ retry, maxRetries, delayMs, error }) => {
    const wait = (delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0)
    process.stderr.write(`${failureOf(error).line} Retry ${retry} of ${maxRetries} in ${wait} s\n`)
  }
  // A single question is not asked again: nothing is written to the cache for it.
  const cacheMarks = flags.has('continue') || flags.has('resume')
  const chats = await openChats(connection.engine, { save: !flags.has('no-save'), cacheMarks })
  try {
    const title = flags.text('title')
    const chat =
      (await chatFrom(chats, flags)) ?? (await chats.create({ ...settingsFrom(flags), ...(title && { title }) }))
    outcome.chat = chat
    const turn = chat.send(content, { signal: stopping.signal, ...limitOf(flags, connection) })
    await follow(turn, flags, outcome)
  } finally {
    await chats.close()
  }
}

async function follow(turn: Turn, flags: Flags, outcome: Outcome): Promise<void> {
  const writer: ReplyWriter = replyWriter(flags)
  const startedAt = performance.now()
  try {
    for await (const event of turn.events) {
      if (event.type === 'content_block_delta') outcome.firstTokenMs ??= performance.now() - startedAt
      writer.event(event)
    }
    outcome.reply = await turn
  } finally {
    outcome.ms = performance.now() - startedAt
    outcome.message = turn.message
    writer.end()
  }
}

async function contentFrom(words: readonly string[], flags: Flags): Promise<MessageContentParam> {
  const prompt = words.join(' ').trim()
  const files = flags.texts('file')
  const takesFile = files.includes('-')
  const piped = process.stdin.isTTY ? undefined : readAll(process.stdin)
  const input = takesFile || piped === undefined ? '' : (await piped).toString('utf8')
  const text = withInput(prompt, input)
  const sources = [...files, ...mentionedFiles(prompt)]
  const blocks: ContentBlockParam[] = []
  for (const source of sources) {
    const attachment = await attach(source, piped === undefined ? undefined : () => piped)
    blocks.push(attachment.block)
  }
  if (text.trim() === '' && blocks.length === 0) {
    throw new UsageError('Nothing to ask. Give a prompt, or pipe one in: echo "Hello" | colloquy ask')
  }
  if (blocks.length === 0) return text
  return text.trim() === '' ? blocks : [...blocks, { type: 'text', text }]
}

/** What was piped in follows the prompt in a block of its own; without a prompt it is the prompt. */
function withInput(prompt: string, input: string): string {
  const trimmed = input.replace(/\n+$/, '')
  if (prompt === '') return trimmed
  return trimmed === '' ? prompt : `${prompt}\n\n<stdin>\n${trimmed}\n</stdin>`
}

function report(format: string, flags: Flags, outcome: Outcome): void {
  const { failure, message, reply, connection, chat } = outcome
  if (format !== 'text') {
    const result = resultOf(outcome)
    const line = format === 'json' ? result : { type: 'result', ...result }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
  if (failure !== undefined && failure.exitCode !== ExitCode.interrupted) process.stderr.write(`${failure.line}\n`)
  const text = reply?.text ?? textOf(message)
  const out = flags.text('out')
  if (out !== undefined && message !== undefined) writeFileSync(out, text.endsWith('\n') ? text : `${text}\n`)
  if (reply?.stopReason === 'max_tokens') {
    process.stderr.write(`Cut off at ${reply.usage.output_tokens} tokens: --max-tokens sets the limit.\n`)
  }
  if (reply?.stopReason === 'refusal') process.stderr.write(`${refusalText(reply.message)}\n`)
  if (flags.has('usage') && reply !== undefined && chat !== undefined) {
    const figures = {
      model: reply.message.model,
      usage: reply.usage,
      cost: reply.cost,
      isEstimated: reply.cost?.estimated === true,
      isLocal: connection?.isOffline === true,
      ms: outcome.ms,
      writingMs: outcome.ms - (outcome.firstTokenMs ?? outcome.ms),
      chat: chat.cost,
    }
    process.stderr.write(`${costLine(figures, 'full')}\n`)
  }
}

/** The same object whether it went well or not. */
function resultOf({ chat, connection, message, reply, failure, ms, firstTokenMs }: Outcome): object {
  const cost = reply?.cost
  return {
    id: message?.id ?? null,
    chat_id: chat?.id ?? null,
    model: message?.model ?? chat?.settings.model ?? null,
    text: reply?.text ?? textOf(message),
    content: message?.content ?? [],
    stop_reason: reply?.stopReason ?? (message === undefined ? null : 'interrupted'),
    usage: message?.usage ?? null,
    cost: costOf(cost, connection),
    timing: { ms: Math.round(ms), first_token_ms: firstTokenMs === undefined ? null : Math.round(firstTokenMs) },
    request_id: failure?.requestId ?? connection?.last.requestId ?? null,
    error:
      failure === undefined ? null : { type: failure.type, message: failure.sentence, exit_code: failure.exitCode },
  }
}

function costOf(cost: Reply['cost'], connection: Connection | undefined): object {
  if (connection?.isOffline) return { usd: 0, estimated: false, by: 'local' }
  if (cost === undefined) return { usd: null, estimated: false, by: 'no price' }
  return { usd: toUsd(cost.picoUsd), estimated: cost.estimated, by: cost.price.source }
}

function textOf(message: Message | undefined): string {
  return (message?.content ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('')
}

function refusalText({ stop_details: details }: Message): string {
  return `Refused${details?.category ? ` (${details.category})` : ''}: ${details?.explanation ?? 'the model declined to answer.'}`
}

function exitCodeOf(flags: Flags, { failure, reply }: Outcome, stopping: Stopping): number {
  if (stopping.exitCode !== undefined) return stopping.exitCode
  if (failure !== undefined) return failure.exitCode
  const isWhole = reply?.stopReason !== 'max_tokens' && reply?.stopReason !== 'refusal'
  if (!isWhole && flags.has('max-cost') && reply?.stopReason === 'max_tokens' && !flags.has('max-tokens')) {
    return ExitCode.budget
  }
  return !isWhole && flags.has('strict') ? ExitCode.incomplete : ExitCode.ok
}
