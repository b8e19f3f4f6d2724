import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { spawn } from 'node:child_process'
import {
  type Admitted,
  conversationRoutes,
  type DefaultSettings,
  type ModelChoiceJson,
  type Routes,
} from '@colloquy/server'
import type { StoreAccess } from '@colloquy/server/access'
import {
  type ConsoleOptions as PageOptions,
  consoleFolder,
  consoleRoutes,
  sharedSecret,
} from '@colloquy/server/console'
import type { ServerStore } from '@colloquy/server/store'
import type { ConversationStore } from 'colloquy/conversation'
import type { Engine } from 'colloquy/protocol'
import { ChatLedger } from '../../../chat-ledger.ts'
import { settingsFrom } from '../../../chat/settings/settings.ts'
import { openChats } from '../../../chat/stored-chats.ts'
import { needsModel } from '../../../engine/choose.ts'
import type { EngineKind } from '../../../engine/engine-kind.ts'
import { withServedModel } from '../../../engine/served-models.ts'
import { ExitCode, ExitError } from '../../../exit.ts'
import { filePaths, makeFolder } from '../../../file-paths.ts'
import type { Flags } from '../../../flags.ts'
import { countText } from '../../../format.ts'
import { announcedTools } from '../../../mcp/open-tools.ts'
import { systemReason } from '../../../errors/system-error.ts'
import { writeErrorLine } from '../../../terminal/output.ts'
import { ChatsEngine } from './chats-engine.ts'

/** The console of a server that runs. */
export interface OpenConsole {
  routes: readonly Routes[]
  /** The address of the page. With a token it opens a session, once. */
  link(url: string): string
  /** The number of saved chats; undefined if there are many. */
  chatCount: number | undefined
  /** Lines about the tools of the chats. */
  toolNotes: readonly string[]
  close(): Promise<void>
}

const manyChats = 1_000

/** The engine of the chats in a console, with its models. */
export interface ConsoleChats {
  engine: Engine
  /** The models that a sender may use. */
  models(sender: Admitted): Promise<ModelChoiceJson[]>
  /** The settings of a new chat of a sender. */
  defaults(sender: Admitted): Promise<DefaultSettings>
  /** Absent if there is nothing to close. */
  close?(): Promise<void>
}

/** The chats with the engine of the flags, and with the models of this machine. */
export async function chatsOf(flags: Flags, chosen: EngineKind, access: StoreAccess): Promise<ConsoleChats> {
  // The page asks for the cost of today when a reply has ended: the ledger that it asks must have the reply by then.
  const ledger = new ChatLedger(flags, access.ledger)
  const chats = new ChatsEngine(chosen, flags, ledger)
  const defaults = await defaultsOf(flags, chosen)
  return {
    engine: chats.engine,
    models: () => chats.models(),
    defaults: async () => defaults,
    close: () => chats.close(),
  }
}

/** The settings of a new chat. They have no model if a server cannot tell its models now. */
async function defaultsOf(flags: Flags, chosen: EngineKind): Promise<DefaultSettings> {
  // The page names the model that replies, and the offline engine is none of the listed Claude models.
  if (chosen.kind === 'offline' && !flags.has('model')) return { ...settingsFrom(flags, chosen), model: 'offline' }
  if (!needsModel(chosen, flags)) return settingsFrom(flags, chosen)
  const { model, served = [] } = await withServedModel(chosen, flags.text('model')).catch(() => chosen)
  const { model: _, ...settings } = settingsFrom(flags, { ...chosen, model: '' })
  const first = model ?? served[0]
  return first === undefined ? settings : { ...settings, model: first }
}

/** Options of `openConsole()`. */
export interface ConsoleOptions {
  chats: ConsoleChats
  access: StoreAccess
  /** The store of keys and usage. */
  serverStore: ServerStore
  /** Whether every key opens the page. Default false. */
  members?: boolean
}

/** Opens the saved chats for the console. */
export async function openConsole(
  flags: Flags,
  { chats, access, serverStore, members = false }: ConsoleOptions,
): Promise<OpenConsole> {
  const store = members ? await sharedChats(serverStore) : undefined
  const conversations = await openChats(chats.engine, { isSaved: true, store })
  const page = consoleRoutes({ ...(await secretsOf(serverStore)), access, members, prepare: buildPage })
  writeTokenFile(flags.text('token-file'), page.programToken)
  const chatCount = (await conversations.list({ limit: manyChats })).length
  // After everything that can fail, as nothing would end their programs.
  const tools = await announcedTools(flags)
  const api = conversationRoutes({
    conversations,
    admit: page.admit,
    defaults: (sender) => chats.defaults(sender),
    models: (sender) => chats.models(sender),
    ...tools?.serverOptions,
  })
  return {
    routes: [page, api],
    link: (url) => `${url}/#k=${page.newToken()}`,
    chatCount: chatCount < manyChats ? chatCount : undefined,
    toolNotes: tools === undefined ? [] : [countText(tools.names.length, 'tool'), ...tools.failures],
    async close() {
      await api.close()
      await tools?.close()
      await conversations.close()
      await chats.close?.()
    },
  }
}

/** The store of chats in the PostgreSQL database of keys and usage, so that several servers have the same. Otherwise undefined. */
async function sharedChats({ query }: ServerStore): Promise<ConversationStore | undefined> {
  if (query === undefined) return undefined
  const { postgresStore } = await import('colloquy/conversation/postgres')
  return postgresStore({ query })
}

/**
 * The secret of the sessions: in PostgreSQL, that of all its servers. The one of this machine is accepted too, as `colloquy web`
 * signs its link with it.
 */
async function secretsOf(serverStore: ServerStore): Promise<Pick<PageOptions, 'secret' | 'acceptedSecrets'>> {
  const own = readSecret()
  if (serverStore.database.kind !== 'postgres') return { secret: own }
  return { secret: await sharedSecret(serverStore, own), acceptedSecrets: [own] }
}

/** The secret of this machine's sessions, which is made when it is first needed. */
export function readSecret(): Uint8Array {
  const { secret: path } = filePaths()
  try {
    makeFolder(dirname(path), { mode: 0o700 })
    if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    // Another process may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error)
  }
  try {
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  } catch (error) {
    throw unusable(path, error)
  }
}

function unusable(path: string, error: unknown): ExitError {
  return new ExitError(ExitCode.failed, `Cannot use the secret of the console in ${path}: ${systemReason(error)}`)
}

function writeTokenFile(path: string | undefined, token: string): void {
  if (path === undefined) return
  try {
    writeFileSync(path, `${token}\n`, { mode: 0o600 })
    chmodSync(path, 0o600)
  } catch (error) {
    throw new ExitError(ExitCode.failed, `Cannot write the token to ${path}: ${systemReason(error)}`)
  }
}

/** In a clone of the repository the page is built when it is first used, and after a change. A package contains it. */
export async function buildPage(): Promise<void> {
  const source = join(consoleFolder, '../../console')
  const vite = join(consoleFolder, '../../../node_modules/vite/bin/vite.js')
  if (!existsSync(join(source, 'vite.config.ts')) || !existsSync(vite) || isCurrent(source)) return
  writeErrorLine('Building the console (once, about 3 seconds) …')
  const child = spawn(process.execPath, [vite, 'build', source, '--logLevel', 'error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.on('error', reject)
  child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`the build ended with ${code}`))))
  await promise
}

/** Whether the page was built after the last change of its source. */
function isCurrent(source: string): boolean {
  const built = join(consoleFolder, 'index.html')
  if (!existsSync(built)) return false
  const builtAt = statSync(built).mtimeMs
  const files = globSync(['src/**/*.*', 'public/*', 'index.html', 'vite.config.ts'], { cwd: source })
  return files.every((file) => statSync(join(source, file)).mtimeMs <= builtAt)
}
