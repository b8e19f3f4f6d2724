import { writeFileSync } from 'node:fs'
import type { Conversation, ConversationMessage } from 'colloquy/conversation'
import { findModel, formatUsd, nearMiss, models } from 'colloquy/protocol'
import { attach, attachmentLabel } from './attach.ts'
import { tokens, tokensOf } from './cost-line.ts'
import { UsageError } from '../exit.ts'
import { MarkdownStream } from '../markdown/markdown-stream.ts'
import { codeBlocks } from './reply-writer.ts'
import { findChats, shortId, systemText, thinkingSettings } from './session.ts'
import { ageText } from '../time.ts'
import { sentLines } from '../editor/view.ts'
import { exportChat, formatOf, textOf } from './transcript.ts'
import type { Chat } from './chat.ts'
import { findCommand, slashCommands } from './slash.ts'

interface Arguments {
  words: string[]
  /** Everything behind the command's name. */
  rest: string
}

type Action = (chat: Chat, args: Arguments) => Promise<void> | void

/** What each slash command does. */
export const actions: Record<string, Action> = {
  help,
  new: startNew,
  resume,
  search,
  title,
  model,
  system,
  set,
  attach: attachFile,
  files,
  edit,
  retry: (chat, { words }) => {
    const [other] = words
    const changes = { ...chat.limit, ...(other === undefined ? {} : { model: other }) }
    return chat.follow(() => open(chat).retry(undefined, changes))
  },
  continue: (chat) => chat.follow(() => open(chat).continue(chat.limit)),
  undo,
  versions: (chat) => showVersions(chat),
  prev: (chat) => stepVersion(chat, -1),
  next: (chat) => stepVersion(chat, 1),
  branches,
  copy,
  save,
  cost,
  context,
  inspect,
  raw: (chat) => chat.surface.print(...textOf(lastReply(chat)).split('\n')),
  quit: (chat) => void (chat.isOver = true),
}

function help(chat: Chat, { words: [name] }: Arguments): void {
  const asked = name === undefined ? undefined : findCommand(name.replace(/^\//, ''))
  const shown = asked === undefined ? slashCommands : [asked]
  const rows = shown.map(({ name: own, synopsis = '', summary }) => [`/${own} ${synopsis}`.trimEnd(), summary] as const)
  const width = Math.max(...rows.map(([left]) => left.length))
  chat.say(...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`))
  if (asked === undefined)
    chat.say('', '  @file attaches a file · //text sends a slash · ? on an empty line shows the keys')
}

function startNew(chat: Chat): void {
  const left = chat.resumeLine
  chat.conversation = undefined
  chat.attachments = []
  chat.editing = undefined
  chat.say(left === undefined ? 'A new chat.' : `A new chat. To come back to the other, ${left}`)
}

async function resume(chat: Chat, { rest }: Arguments): Promise<void> {
  const numbered = /^\d{1,2}$/.test(rest) ? chat.listed[Number(rest) - 1] : undefined
  if (numbered !== undefined) return openChat(chat, numbered)
  const found = rest === '' ? await chat.chats.list({ limit: 10 }) : await findChats(chat.chats, rest)
  const [first] = found
  if (first === undefined)
    return chat.say(rest === '' ? 'No chats yet.' : `No chat has ${rest}. /resume lists the last ones.`)
  if (rest !== '' && found.length === 1) return openChat(chat, first.id)
  chat.listed = found.slice(0, 20).map(({ id }) => id)
  const rows = found.slice(0, 20).map(({ id, title: name, updatedAt, messages }, index) => {
    return `${String(index + 1).padStart(2)}  ${shortId(id)}  ${name ?? 'untitled'} · ${ageText(updatedAt)} · ${messages} messages`
  })
  const hidden = found.length > 20 ? [`    ${found.length - 20} more: add words to find one`] : []
  chat.say(...rows, ...hidden, '    /resume N opens one')
}

async function openChat(chat: Chat, id: string): Promise<void> {
  chat.conversation = await chat.chats.open(id)
  chat.editing = undefined
  showTail(chat, chat.conversation)
}

/** The end of a chat that goes on: its last two exchanges, as they looked. */
export function showTail(chat: Chat, conversation: Conversation): void {
  const { messages } = conversation
  const shown = messages.slice(-4)
  const hidden = messages.length - shown.length
  chat.say(`chat ${shortId(conversation.id)} “${conversation.title ?? 'untitled'}” · ${conversation.settings.model}`)
  if (hidden > 0) chat.say(`… ${hidden} earlier messages`)
  for (const message of shown) chat.surface.print('', ...messageLines(chat, message))
}

function messageLines(chat: Chat, message: ConversationMessage): string[] {
  const { paint, columns } = chat.surface
  const text = textOf(message)
  if (message.role === 'user') return sentLines(text, paint)
  const markdown = new MarkdownStream({ columns, paint })
  markdown.push(text)
  const lines = markdown.end()
  return message.state === 'interrupted' ? [...lines, paint('■ interrupted · /continue', { dim: true })] : lines
}

async function search(chat: Chat, { rest }: Arguments): Promise<void> {
  if (rest === '') throw new UsageError('Cannot search: give the words, as in /search trip japan')
  const hits = await chat.chats.search(rest, { limit: 20 })
  if (hits.length === 0) return chat.say(`Nothing has ${rest}.`)
  chat.listed = hits.map(({ conversationId }) => conversationId)
  chat.say(
    ...hits.map(({ conversationId, title: name, excerpt }, index) => {
      return `${String(index + 1).padStart(2)}  ${shortId(conversationId)}  ${name ?? 'untitled'}: ${excerpt.replaceAll(/\s+/g, ' ')}`
    }),
    '    /resume N opens one',
  )
}

async function title(chat: Chat, { rest }: Arguments): Promise<void> {
  const conversation = open(chat)
  if (rest !== '') await conversation.rename(rest)
  chat.say(`“${conversation.title ?? 'untitled'}”`)
}

async function model(chat: Chat, { words: [id] }: Arguments): Promise<void> {
  if (id === undefined) return chat.say(`${chat.current.model} · /model ID changes it, Tab completes`)
  const known = findModel(id)
  const meant =
    known === undefined
      ? nearMiss(
          id,
          models.flatMap((entry) => [entry.id, ...entry.aliases]),
        )
      : undefined
  await chat.configure({ model: id })
  if (known === undefined)
    chat.say(`${id} is not in the catalogue.${meant === undefined ? '' : ` Did you mean ${meant}?`}`)
  chat.say(`The next reply is by ${id}.`)
}

async function system(chat: Chat, { rest }: Arguments): Promise<void> {
  const { system: current } = chat.current
  if (rest === '') {
    const text = typeof current === 'string' ? current : (current ?? []).map((block) => block.text).join('\n')
    return chat.say(...(text === '' ? ['No system prompt.'] : text.split('\n')))
  }
  const next = rest === 'off' ? undefined : systemText(rest)
  // A change to undefined takes the setting away.
  await chat.configure({ system: next } as { system: string })
  if (next === undefined) delete chat.settings.system
  chat.say(next === undefined ? 'No system prompt from now on.' : 'The system prompt holds from the next message on.')
}

async function set(chat: Chat, { words: [name, value] }: Arguments): Promise<void> {
  const { max_tokens: maxTokens, output_config: output, thinking } = chat.current
  if (name === undefined || value === undefined) {
    const effort = thinking?.type === 'disabled' ? 'off' : (output?.effort ?? 'the model’s own')
    return chat.say(`max_tokens ${maxTokens} · effort ${effort} · cost ${chat.costStyle}`)
  }
  if (name === 'max_tokens' && /^[1-9]\d{0,8}$/.test(value)) await chat.configure({ max_tokens: Number(value) })
  else if (name === 'effort' && /^(?:off|low|medium|high|xhigh|max)$/.test(value))
    await chat.configure(thinkingSettings(value))
  else if (name === 'cost' && (value === 'off' || value === 'short' || value === 'full')) chat.costStyle = value
  else {
    throw new UsageError(
      `Cannot set ${name} to ${value}: there are max_tokens (a number), effort (off, low … max) and cost (off, short, full)`,
    )
  }
  chat.say(`${name} ${value}`)
}

async function attachFile(chat: Chat, { rest }: Arguments): Promise<void> {
  if (rest === '') throw new UsageError('Cannot attach nothing: give a file or an address, as in /attach notes.md')
  const attachment = await attach(rest.replace(/^(["'])(.*)\1$/, '$2'))
  chat.attachments.push(attachment)
  chat.say(`⎘ ${attachmentLabel(attachment)} goes along with the next message`)
}

function files(chat: Chat, { words: [what] }: Arguments): void {
  if (what === 'clear') chat.attachments = []
  if (chat.attachments.length === 0) return chat.say('Nothing goes along with the next message.')
  chat.say(...chat.attachments.map((attachment) => `⎘ ${attachmentLabel(attachment)}`))
}

function edit(chat: Chat, { words: [which = '1'] }: Arguments): void {
  const said = open(chat).messages.filter(({ role }) => role === 'user')
  const message = said.at(-Number(which))
  if (message === undefined || !/^[1-9]\d*$/.test(which)) {
    throw new UsageError(`Cannot edit message ${which} from the end: there are ${said.length} of yours`)
  }
  chat.editing = message.id
  chat.say('Change it and send: the old message and its replies stay as a branch. Esc leaves it as it was.')
  chat.surface.prefill(textOf(message))
}

async function undo(chat: Chat, { words: [count = '1'] }: Arguments): Promise<void> {
  if (!/^[1-9]\d{0,3}$/.test(count)) throw new UsageError(`Cannot undo ${count}: give a number of exchanges`)
  const conversation = open(chat)
  const taken = await conversation.undo(Number(count))
  const left = conversation.messages.length
  chat.say(`Took back ${taken.length} messages, ${left} are left. /branches has them still.`)
}

async function showVersions(chat: Chat): Promise<void> {
  const reply = lastReply(chat)
  const versions = await open(chat).versions(reply.id)
  chat.say(
    ...versions.map((version, index) => {
      const mark = version.id === reply.id ? '›' : ' '
      const cost = version.costPicoUsd === undefined ? '' : ` · ${formatUsd(version.costPicoUsd)}`
      return `${mark} ${index + 1}/${versions.length}  ${firstLine(textOf(version))} · ${version.model ?? ''}${cost}`
    }),
    '  /prev and /next go from one to the other',
  )
}

async function stepVersion(chat: Chat, step: -1 | 1): Promise<void> {
  const conversation = open(chat)
  const reply = lastReply(chat)
  const versions = await conversation.versions(reply.id)
  const place = versions.findIndex(({ id }) => id === reply.id)
  const other = versions[place + step]
  if (other === undefined) return chat.say(`This is version ${place + 1} of ${versions.length}.`)
  await conversation.switchTo(other.id)
  chat.surface.print('', ...messageLines(chat, other))
  chat.say('', `‹${place + step + 1}/${versions.length}›`)
}

async function branches(chat: Chat, { words: [which] }: Arguments): Promise<void> {
  const conversation = open(chat)
  const found = await conversation.branches()
  if (which !== undefined) {
    const branch = found[Number(which) - 1]
    if (branch === undefined) throw new UsageError(`Cannot switch to branch ${which}: there are ${found.length}`)
    await conversation.switchTo(branch.messageId)
    return showTail(chat, conversation)
  }
  const rows = found.map(async ({ messageId, isActive, length, updatedAt, usage }, index) => {
    const last = (await conversation.versions(messageId)).find(({ id }) => id === messageId)
    const price = usage.cost.picoUsd > 0n ? ` · ${formatUsd(usage.cost.picoUsd)}` : ''
    const text = last === undefined ? '' : ` · ${firstLine(textOf(last))}`
    return `${isActive ? '›' : ' '} ${index + 1}  ${length} messages · ${ageText(updatedAt)}${price}${text}`
  })
  chat.say(...(await Promise.all(rows)), '  /branches N switches')
}

async function copy(chat: Chat, { words: [what, which = '1'] }: Arguments): Promise<void> {
  const text = textOf(lastReply(chat))
  if (what === undefined) {
    await chat.surface.copy(text)
    return chat.say(`Copied the reply, ${text.length} characters of Markdown.`)
  }
  const blocks = codeBlocks(text)
  const block = what === 'code' ? blocks[Number(which) - 1] : undefined
  if (block === undefined) {
    throw new UsageError(
      `Cannot copy ${what} ${which}: the reply has ${blocks.length} blocks of code, as in /copy code 1`,
    )
  }
  await chat.surface.copy(block)
  chat.say(`Copied code block ${which} of ${blocks.length}.`)
}

function save(chat: Chat, { rest }: Arguments): void {
  const format = formatOf(rest)
  if (format === undefined) throw new UsageError('Cannot save: give a file that ends in .md, .json or .html')
  writeFileSync(rest, exportChat(open(chat), format), { flag: 'wx' })
  chat.say(`Saved to ${rest}.`)
}

function cost(chat: Chat): void {
  const { usage } = open(chat)
  const written = usage.cache_creation
  const rows: [string, string][] = [
    ['calls', String(usage.calls)],
    ['input', tokens(usage.input_tokens)],
    ['cache read', tokens(usage.cache_read_input_tokens)],
    ['cache written, 5 minutes', tokens(written.ephemeral_5m_input_tokens)],
    ['cache written, 1 hour', tokens(written.ephemeral_1h_input_tokens)],
    ['output', tokens(usage.output_tokens)],
    ['searches', String(usage.server_tool_use.web_search_requests)],
  ]
  const { picoUsd, estimated, unpriced } = usage.cost
  if (unpriced < usage.calls) rows.push(['cost', `${estimated ? '≈ ' : ''}${formatUsd(picoUsd)}`])
  if (unpriced > 0)
    rows.push(['without a price', `${unpriced} ${unpriced === 1 ? 'call' : 'calls'}: local, or by models without one`])
  chat.say(...rows.map(([name, value]) => `  ${name.padEnd(26)}${value}`))
}

function context(chat: Chat): void {
  const { usage } = lastReply(chat)
  const { model: id, max_tokens: maxTokens } = chat.current
  const window = findModel(id)?.contextTokens
  const used = usage === undefined ? 0 : tokensOf(usage)
  const share = window === undefined ? '' : ` of ${tokens(window)}, ${((used / window) * 100).toFixed(1)}%`
  chat.say(
    `${tokens(used)} tokens${share} · ${open(chat).messages.length} messages · a reply may take ${tokens(maxTokens)}`,
  )
}

function inspect(chat: Chat): void {
  const { request, requestId } = chat.connection.last
  if (request === undefined) return chat.say('Nothing was sent yet.')
  chat.say(`request${requestId === undefined ? '' : ` ${requestId}`}:`)
  chat.surface.print(...JSON.stringify(request, undefined, 2).split('\n'))
  const reply = open(chat).messages.findLast(({ role }) => role === 'assistant')
  if (reply === undefined) return
  chat.say('response:')
  const { model: by, stopReason, usage, content } = reply
  chat.surface.print(
    ...JSON.stringify({ model: by, stop_reason: stopReason, usage, content }, undefined, 2).split('\n'),
  )
}

/** The conversation, where one has begun. */
function open({ conversation }: Chat): Conversation {
  if (conversation === undefined) throw new UsageError('This chat has not begun: say something first')
  return conversation
}

function lastReply(chat: Chat): ConversationMessage {
  const reply = open(chat).messages.findLast(({ role }) => role === 'assistant')
  if (reply === undefined) throw new UsageError('There is no reply yet')
  return reply
}

function firstLine(text: string): string {
  const line = text.split('\n').find((one) => one.trim() !== '') ?? ''
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
