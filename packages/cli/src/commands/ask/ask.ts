import type { Retry } from 'colloquy'
import type { Conversation, Reply, Turn, TurnOptions } from 'colloquy/conversation'
import { APIUserAbortError } from 'colloquy/protocol'
import { type Attachment, checkReadable, contentOf } from '../../chat/content/attach.ts'
import { blocksText, codeBlocks, findCode } from '../../chat/content/code-blocks.ts'
import type { JsonFormat } from '../../chat/reply/json-reply.ts'
import { ReplyFile } from '../../chat/reply/reply-file.ts'
import { type ReplyWriter, replyWriter } from '../../chat/reply/reply-writer.ts'
import { settingsFrom, turnOptionsFrom } from '../../chat/settings/settings.ts'
import { ChatLedger } from '../../chat-ledger.ts'
import { chatFrom, openChats } from '../../chat/stored-chats.ts'
import { confirm } from '../confirm.ts'
import type { ChatTools, Permission, ToolCall } from '../../mcp/chat-tools.ts'
import { connect } from '../../engine/connect.ts'
import type { EngineKind } from '../../engine/engine-kind.ts'
import { knownEngine } from '../../engine/choose.ts'
import { describeError } from '../../errors/describe-error.ts'
import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { retryText } from '../../format.ts'
import { writeDocument, writeErrorLine, writeJson } from '../../terminal/output.ts'
import { stopOnSignals, type StopRequest } from '../../process.ts'
import { isCutByBudget, notesOf, resultOf, textOf, type AskOutcome } from './ask-outcome.ts'
import { type Message, messageFrom } from './message.ts'

/** Runs `colloquy ask`: one question, one reply. */
export async function ask(words: readonly string[], flags: Flags): Promise<number> {
  const outcome: AskOutcome = { hasBudget: flags.has('max-cost') }
  let stop: StopRequest | undefined
  try {
    checkExtract(flags)
    const format = await jsonFormatOf(flags)
    const message = await messageFrom(words, flags)
    // Before this a signal ends the program at once, as it may wait for input that never ends.
    stop = stopOnSignals()
    await answer(message, { flags, outcome, format }, stop.signal)
  } catch (error) {
    outcome.failure = describeError(error)
  } finally {
    stop?.dispose()
    outcome.file?.close()
    await outcome.tools?.close()
  }
  report(flags, outcome)
  return exitCodeOf(flags, outcome, stop)
}

interface Answering {
  flags: Flags
  outcome: AskOutcome
  format: JsonFormat | undefined
}

async function answer(
  { prompt, text, attachments }: Message,
  answering: Answering,
  signal: AbortSignal,
): Promise<void> {
  const { flags, outcome, format } = answering
  const path = flags.text('out')
  if (path !== undefined) outcome.file = new ReplyFile(path)
  const engine = knownEngine(flags) ?? (await searchEngine(flags, signal))
  checkReadable(attachments, engine)
  const tools = await toolsOf(flags, signal)
  outcome.tools = tools
  if (tools !== undefined) attachments.push(...(await readableResources(prompt, tools, engine)))
  const connection = await connect(engine, flags, { onRetry: reportRetry })
  outcome.connection = connection
  // Cache writes cost extra and pay off only if the chat continues.
  const cacheMarks = flags.has('continue') || flags.has('resume')
  const ledger = new ChatLedger(flags)
  const chats = await openChats(ledger.metered(connection), { isSaved: !flags.has('no-save'), cacheMarks })
  try {
    const title = flags.text('title')
    const chat: Conversation =
      (await chatFrom(chats, flags, engine)) ??
      (await chats.create({ ...settingsFrom(flags, engine), ...(title && { title }) }))
    outcome.chat = chat
    const writer = await replyWriter(flags)
    const options = {
      signal,
      ...turnOptionsFrom(flags, connection),
      ...(format && formatOptions(format, chat)),
      ...tools?.turnOptions({ show: (line) => writer.note(line), ask: (call) => permission(call, writer) }),
    }
    await follow(chat.send(contentOf(text, attachments), options), answering, writer)
  } finally {
    await chats.close()
    await ledger.close()
  }
}

/** The tools of `--mcp`. Throws an `ExitError` if one of the servers cannot be used: the reply would lack its tools. */
async function toolsOf(flags: Flags, signal: AbortSignal): Promise<ChatTools | undefined> {
  const { announcedTools } = await import('../../mcp/open-tools.ts')
  const tools = await announcedTools(flags, signal)
  const [failure] = tools?.failures ?? []
  if (failure === undefined) return tools
  await tools?.close()
  if (signal.aborted) throw new APIUserAbortError()
  throw new ExitError(ExitCode.failed, failure)
}

async function readableResources(prompt: string, tools: ChatTools, engine: EngineKind): Promise<Attachment[]> {
  const { mentionedResources } = await import('../../chat/content/resources.ts')
  const resources = await mentionedResources(prompt, tools)
  checkReadable(resources, engine)
  return resources
}

/** Asks in a terminal whether a tool may be called. Elsewhere only the tools of `--allow-tool` may. */
async function permission({ name }: ToolCall, writer: ReplyWriter): Promise<Permission> {
  if (process.stdin.isTTY && process.stderr.isTTY)
    return (await confirm(`Call ${name}? [y/N] `)) ? 'once' : { reason: 'the user did not allow it' }
  writer.note(`  └ ${name}: not allowed without --allow-tool ${name}`)
  return { reason: 'the user did not allow it' }
}

async function searchEngine(flags: Flags, signal: AbortSignal): Promise<EngineKind> {
  const { findEngineInLines, mayFetchInPipe } = await import('../../engine/first-engine.ts')
  return findEngineInLines(flags, { mayFetch: mayFetchInPipe(), signal, isStoppedByUser: false })
}

function checkExtract(flags: Flags): void {
  const output = flags.text('output') ?? 'text'
  if (flags.has('extract') && output !== 'text')
    throw new UsageError(`Cannot use --extract with --output ${output}: only text can be code alone`)
}

async function jsonFormatOf(flags: Flags): Promise<JsonFormat | undefined> {
  const given = flags.text('json-schema')
  if (given === undefined) return undefined
  const { jsonFormatFrom } = await import('../../chat/reply/json-reply.ts')
  return jsonFormatFrom(given, flags)
}

/** Asks for the format in this turn only, with the effort that the chat has. */
function formatOptions({ type, schema }: JsonFormat, { settings }: Conversation): TurnOptions {
  return { output_config: { ...settings.output_config, format: { type, schema } } }
}

async function follow(turn: Turn, { flags, outcome, format }: Answering, writer: ReplyWriter): Promise<void> {
  const startedAt = performance.now()
  try {
    for await (const event of turn.events) {
      if (event.type === 'content_block_delta') outcome.firstTokenMs ??= performance.now() - startedAt
      writer.event(event)
    }
    outcome.reply = await turn
    if (format !== undefined && !isIncomplete(outcome.reply))
      outcome.parsed = format.parse(textOf(outcome.reply.message))
  } finally {
    outcome.ms = performance.now() - startedAt
    outcome.message = turn.message
    writer.end()
    writeReply(outcome, flags)
  }
}

/** Writes what the `ReplyWriter` has not written: the code of `--extract`, the JSON of `--json-schema`, the file of `--out`. */
function writeReply(outcome: AskOutcome, flags: Flags): void {
  const { message, parsed, file } = outcome
  if (flags.has('extract')) return writeCode(flags.text('extract') ?? '', outcome)
  if (!flags.has('json-schema')) return message === undefined ? undefined : writeFile(file, textOf(message))
  const isText = (flags.text('output') ?? 'text') === 'text'
  // The text of the model, so that no digit of a number is lost.
  if (parsed !== undefined && (isText || file !== undefined)) writePart(textOf(message).trim(), file)
}

/** Writes the code of `--extract`. A reply without any fence is often code alone, so it is written as it is. */
function writeCode(language: string, outcome: AskOutcome): void {
  const text = textOf(outcome.message)
  const blocks = codeBlocks(text)
  const found = findCode(blocks, language)
  if (found !== undefined) return writePart(found.code, outcome.file)
  if (outcome.reply === undefined) return
  if (language !== '')
    throw new ExitError(ExitCode.failed, `Cannot extract ${language} code: the reply has ${blocksText(blocks)}`)
  outcome.lacksCode = true
  writePart(text, outcome.file)
}

/** Writes what was asked for in place of the whole reply. */
function writePart(text: string, file: ReplyFile | undefined): void {
  if (file !== undefined) writeFile(file, text)
  else writeDocument(text.endsWith('\n') ? text : `${text}\n`)
}

/** Writes the reply to the file of `--out`. If the disk is full, writes it to standard output instead and throws. */
function writeFile(file: ReplyFile | undefined, text: string): void {
  try {
    file?.write(text)
  } catch (error) {
    writeDocument(text.endsWith('\n') ? text : `${text}\n`)
    throw error
  }
}

function reportRetry(retry: Retry): void {
  const { delayMs, error } = retry
  const wait = (delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0)
  writeErrorLine(`${describeError(error).line} ${retryText(retry, wait)}`)
}

function report(flags: Flags, outcome: AskOutcome): void {
  const format = flags.text('output') ?? 'text'
  if (format !== 'text') {
    const result = resultOf(outcome)
    writeJson(format === 'json' ? result : { type: 'result', ...result })
  }
  for (const note of notesOf(outcome, flags.has('usage'))) writeErrorLine(note)
}

function exitCodeOf(flags: Flags, outcome: AskOutcome, stop: StopRequest | undefined): number {
  const { failure, reply } = outcome
  if (stop?.exitCode !== undefined) return stop.exitCode
  if (failure !== undefined) return failure.exitCode
  if (isCutByBudget(outcome)) return ExitCode.budget
  // A part of a JSON text is of no use to a program.
  const isStrict = flags.has('strict') || flags.has('json-schema')
  return isStrict && reply !== undefined && isIncomplete(reply) ? ExitCode.incomplete : ExitCode.ok
}

function isIncomplete({ stopReason }: Reply): boolean {
  return stopReason === 'max_tokens' || stopReason === 'refusal'
}
