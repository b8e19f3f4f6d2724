import type { EngineKind } from '../engine/engine-kind.ts'
import { SwitchingConnection } from '../engine/switching-connection.ts'
import type { Flags } from '../flags.ts'
import { askForCall } from './ask-for-call.ts'
import { attach, sourcesFrom } from './content/attach.ts'
import { resourceNames } from './content/resources.ts'
import { say, showMessages, type ChatContext, type ChatState, type CostStyle } from './chat-state.ts'
import { ChatSession, type WrapMode } from './session.ts'
import { ChatLedger } from '../chat-ledger.ts'
import type { ToolHost } from '../mcp/chat-tools.ts'
import { chatTools, toolNotes } from '../mcp/open-tools.ts'
import type { Asked } from '../mcp/server-questions.ts'
import { settingsFrom, turnOptionsFrom } from './settings/settings.ts'
import { chatFrom, openChats, tailOf } from './stored-chats.ts'
import type { ListMentions } from './surface/completion.ts'
import { showNotes } from './surface/show.ts'
import type { Surface } from './surface/surface.ts'

/** The state of a chat before its first line, without what the flags decide. */
const emptyState = {
  editedMessageId: undefined,
  lastListedIds: [],
  lastListedModels: [],
  unconfirmedLine: undefined,
  unsentText: undefined,
  shouldExit: false,
} satisfies Partial<ChatState>

/** The cost of a prompt above which the chat asks first, unless `--warn-cost` or the configuration says otherwise. */
const defaultWarnUsd = 0.5

export interface OpenedSession {
  session: ChatSession
  /** Lists the resources of MCP servers that a message can mention. */
  mentions: ListMentions
  /** Whether the chat continues an earlier one. Its end is then on the surface. */
  isContinued: boolean
  /** Whether no chat has been saved yet. */
  isFirst: boolean
}

/** Connects, opens the saved chats and, if the flags name one, that chat. MCP servers that are not ready when the signal aborts are left out. */
export async function openSession(
  surface: Surface,
  flags: Flags,
  { engine, wordsPerSecond, signal }: { engine: EngineKind; wordsPerSecond: number; signal?: AbortSignal },
): Promise<OpenedSession> {
  const connection = await SwitchingConnection.open(engine, flags, { wordsPerSecond, onRetry: () => surface.touch() })
  const isSaved = !flags.has('no-save')
  const ledger = new ChatLedger(flags)
  const chats = await openChats(ledger.metered(connection), { isSaved })
  const picksFromList = flags.has('resume') && flags.text('resume') === undefined && !flags.has('fork')
  const conversation = picksFromList ? undefined : await chatFrom(chats, flags, engine)
  const attachments = await Promise.all(sourcesFrom(flags).map((source) => attach(source)))
  const opened: { session?: ChatSession } = {}
  const show = (line: string): void =>
    opened.session === undefined ? showNotes(surface, [line]) : opened.session.showCall(line)
  const user: Asked = { show, choose: surface.ask.bind(surface), read: surface.askText.bind(surface) }
  // The last thing that can fail, as its programs would keep running.
  const tools = await chatTools(flags, { signal, user })
  const context: ChatContext = {
    chats,
    connection,
    ledger,
    tools,
    turnOptions: () => ({ ...turnOptionsFrom(flags, connection), ...tools?.turnOptions(host) }),
    warnUsd: flags.number('warn-cost') ?? defaultWarnUsd,
    title: flags.text('title'),
    isSaved,
  }
  const settings = conversation?.settings ?? settingsFrom(flags, engine)
  const state: ChatState = { ...emptyState, conversation, settings, attachments, costStyle: costStyleFrom(flags) }
  const host: ToolHost = {
    show,
    showProgress: (text) => session.showProgress(text),
    ask: (call) => askForCall(surface, call, () => session.stop()),
  }
  const session = new ChatSession(surface, context, state, flags.text('wrap') as WrapMode | undefined)
  opened.session = session
  if (tools !== undefined) await session.perform([say(...toolNotes(tools))])
  if (conversation !== undefined) {
    const { lines, messages } = tailOf(conversation)
    await session.perform([say(...lines), showMessages(...messages)])
  }
  const isFirst = conversation === undefined && (await chats.list({ limit: 1 })).length === 0
  const mentions = async (): Promise<string[]> => (tools === undefined ? [] : resourceNames(tools))
  return { session, mentions, isContinued: conversation !== undefined, isFirst }
}

function costStyleFrom(flags: Flags): CostStyle {
  return (flags.text('cost') as CostStyle | undefined) ?? 'full'
}
