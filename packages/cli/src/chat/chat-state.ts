import type { Conversation, ConversationMessage, ConversationSettings, Conversations } from 'colloquy/conversation'
import type { Turn, TurnOptions } from 'colloquy/conversation'
import type { SwitchingConnection } from '../engine/switching-connection.ts'
import type { ChatLedger } from '../chat-ledger.ts'
import type { ChatTools } from '../mcp/chat-tools.ts'
import type { Attachment } from './content/attach.ts'
import type { PickSource } from './surface/picker.ts'
import type { Look } from './surface/surface.ts'

/** How much the line below a reply tells. */
export type CostStyle = 'off' | 'short' | 'full'

/** The state of a chat between two lines. A value: a `change` effect makes a new one. */
export interface ChatState {
  /** Undefined until the first message of a new chat is sent. */
  conversation: Conversation | undefined
  /** The settings of a new chat. */
  settings: ConversationSettings
  /** The files to send with the next message. */
  attachments: readonly Attachment[]
  /** The message that the next one replaces. */
  editedMessageId: string | undefined
  costStyle: CostStyle
  /** The chats that were listed last, for choosing one by its number. */
  lastListedIds: readonly string[]
  /** The models that were listed last, for choosing one by its number. */
  lastListedModels: readonly string[]
  /** A line whose turn is expensive. It runs if the user sends the line again. */
  unconfirmedLine: string | undefined
  /** A message that was refused because another program had changed the chat. `/retry` sends it. */
  unsentText: string | undefined
  shouldExit: boolean
}

/** The parts of a chat that never change. */
export interface ChatContext {
  chats: Conversations
  connection: SwitchingConnection
  /** Records what requests use. */
  ledger: Pick<ChatLedger, 'close'>
  /** The tools that the model may call. Undefined without `--mcp`. */
  tools: ChatTools | undefined
  /** The options of the next turn. */
  turnOptions: () => TurnOptions
  /** The cost of a prompt in US dollars above which a turn runs only after a confirmation. */
  warnUsd: number
  /** The title of a new chat. Default: the first line of its first message. */
  title: string | undefined
  /** Whether chats outlive the program. */
  isSaved: boolean
}

/** Something a line leads to. Commands only return effects; `ChatSession` carries them out in order. */
export type Effect =
  /** Shows lines of the program's own. */
  | { kind: 'say'; lines: readonly string[] }
  /** Shows text as it is. */
  | { kind: 'print'; text: string }
  /** Shows messages as they looked when they were new. */
  | { kind: 'messages'; messages: readonly ConversationMessage[] }
  | { kind: 'change'; changes: Partial<ChatState> }
  /** Puts text into the editor. */
  | { kind: 'prefill'; text: string }
  /** Copies text to the clipboard. */
  | { kind: 'copy'; text: string }
  /** Changes the colours or the keys of the editor. */
  | { kind: 'look'; look: Look }
  /** Lets the user pick a row. `onPick` has the effects of the row; a surface without a picker has those of `otherwise`. */
  | {
      kind: 'pick'
      source: PickSource
      onPick: (id: string) => Promise<readonly Effect[]>
      otherwise: () => Promise<readonly Effect[]>
    }
  /** Runs what takes time and leads to more effects. The user can stop it, which aborts the signal. */
  | { kind: 'task'; run: (perform: Perform, signal: AbortSignal) => Promise<readonly Effect[]> }
  /** Runs a turn and shows its reply. */
  | { kind: 'turn'; begin: () => Turn }

/** Carries out effects before those that a task leads to. */
export type Perform = (effects: readonly Effect[]) => Promise<void>

export function say(...lines: string[]): Effect {
  return { kind: 'say', lines }
}

export function print(text: string): Effect {
  return { kind: 'print', text }
}

export function showMessages(...messages: ConversationMessage[]): Effect {
  return { kind: 'messages', messages }
}

export function change(changes: Partial<ChatState>): Effect {
  return { kind: 'change', changes }
}

export function prefill(text: string): Effect {
  return { kind: 'prefill', text }
}

export function copy(text: string): Effect {
  return { kind: 'copy', text }
}

export function runTurn(begin: () => Turn): Effect {
  return { kind: 'turn', begin }
}

/** The settings in force: the conversation's, or those of a new chat. */
export function currentSettings({ conversation, settings }: ChatState): ConversationSettings {
  return conversation?.settings ?? settings
}
