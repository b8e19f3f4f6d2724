import { createServer, type Routes } from '@colloquy/server'
import { newConsoleToken } from '@colloquy/server/console'
import { isLoopback } from '@colloquy/server/node'
import type { TestScript } from '@colloquy/server/testing'
import { toErrorResponse } from 'colloquy/conversation'
import { type Engine, apiError } from 'colloquy/protocol'
import { servedEngine } from '../../engine/connect.ts'
import { knownEngine, namedEngine } from '../../engine/choose.ts'
import { engineLabel, type EngineKind, isOnThisMachine } from '../../engine/engine-kind.ts'
import { ExitCode, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { systemReason } from '../../errors/system-error.ts'
import { countText } from '../../format.ts'
import { writeErrorLine, writeLine } from '../../terminal/output.ts'
import { accessLogger, logOptions, withoutProbes } from './access-log.ts'
import { openBrowser } from '../../browser.ts'
import { buildPage, chatsOf, openConsole, type OpenConsole, readSecret } from './console/open-console.ts'
import { followers, loggedEngine, logsContent } from './follow.ts'
import { closeOnSignal, InUseError, loopback, nameOfOrigin, open } from './listening.ts'
import { openState, type ServeState } from './state.ts'
import { programName } from '../../terminal/program-name.ts'
import { readText } from '../../read-text.ts'

const defaultPort = 4141

/** Runs `colloquy web`: serves the console, with the engine of a chat, and opens it; or opens the one that is served. */
export async function web(flags: Flags): Promise<number> {
  return serveWith(flags, { chosen: await engineOfChat(flags), opens: true })
}

/** Runs `colloquy serve`: serves on a port of this machine until a signal stops it. */
export async function serve(flags: Flags): Promise<number> {
  if (flags.has('schema')) return (await import('./config/print-schema.ts')).printSchema()
  if (flags.has('check') && !flags.has('config')) throw new UsageError('Cannot use --check without --config FILE')
  if (flags.has('testing') && flags.has('config')) throw new UsageError('Cannot use --testing with --config FILE')
  if (flags.has('config')) return (await import('./config/serve-config.ts')).serveConfig(flags)
  const opens = flags.has('open')
  const isForChat = opens && !flags.has('engine') && !flags.has('testing')
  const chosen = isForChat ? await engineOfChat(flags) : namedEngine(flags.text('engine') ?? 'offline')
  return serveWith(flags, { chosen, opens })
}

/** The engine that a chat would have. */
async function engineOfChat(flags: Flags): Promise<EngineKind> {
  return knownEngine(flags) ?? (await import('../../engine/first-engine.ts')).findEngineOfTerminal(flags)
}

interface Serving {
  chosen: EngineKind
  /** Whether the console is opened in a browser. */
  opens: boolean
}

async function serveWith(flags: Flags, { chosen, opens }: Serving): Promise<number> {
  const { port = defaultPort, host = '127.0.0.1', keys } = readFlags(flags)
  const hasConsole = isLoopback(host) && !flags.has('no-console')
  if (opens && !hasConsole) throw new UsageError('Cannot open the console: it is served on this machine only')
  if (flags.has('testing') && !isLoopback(host))
    throw new UsageError(`Cannot use --testing on ${host}: it is for this machine only`)
  const replying = await servedEngine(chosen, flags)
  const script = flags.has('testing') ? await scriptBefore(replying) : undefined
  const engine = loggedEngine(script?.engine ?? replying, flags)
  const isLocal = isOnThisMachine(chosen)
  const log = withoutProbes(accessLogger({ ...logOptions(flags), isLocal: () => isLocal }))
  const names = [...loopback, ...flags.texts('allow-host')]
  const origins = (origin: string): boolean => names.includes(nameOfOrigin(origin))
  const state = await openState(flags, { engine: engineLabel(chosen), isPriced: !isLocal, host, keys })
  const { access, store } = state
  const page = hasConsole
    ? await openConsole(flags, { chats: await chatsOf(flags, chosen, access), access, serverStore: store })
    : undefined
  const routes = [
    ...(script ? [script.routes] : []),
    ...(flags.has('no-api') ? [withoutApi] : []),
    ...(page?.routes ?? []),
  ]
  try {
    const lenient = chosen.kind !== 'offline' || flags.has('lenient')
    const made = createServer({ engine, lenient, log, origins, access, store, routes, ...(await followers(flags)) })
    const server = script?.around(made) ?? (flags.has('no-api') ? { ...made, answer: () => undefined } : made)
    const listening = await open(server, { port, host, ...(isLoopback(host) && { allowedHosts: names }) })
    if (opens) await showPage(page!, listening.url, flags)
    if (!flags.has('json')) startScreen(listening.url, chosen, { flags, state, page }).forEach(writeLine)
    return await closeOnSignal(listening)
  } catch (error) {
    if (opens && error instanceof InUseError) return await showRunning(error.url, flags)
    throw error
  } finally {
    await page?.close()
    await state.close()
  }
}

/** A script that other programs fill by the routes below `/testing`. The engine replies when no step is left. */
async function scriptBefore(engine: Engine): Promise<TestScript> {
  const { TestScript } = await import('@colloquy/server/testing')
  return new TestScript(engine)
}

const withoutApi: Routes = {
  answer({ url }) {
    if (!new URL(url).pathname.startsWith('/v1/')) return undefined
    const message = 'Not found: this server was started with --no-api'
    return Promise.resolve(toErrorResponse(apiError('not_found_error', message)))
  },
}

async function showPage(page: OpenConsole, url: string, flags: Flags): Promise<void> {
  await buildPage()
  const link = page.link(url)
  if (await openBrowser(link)) return
  // The start screen has a link.
  if (showsLink(process.stdout, flags) && !flags.has('json')) return writeErrorLine('Found no browser: open the link.')
  writeErrorLine(showsLink(process.stderr, flags) ? `Open ${link} in a browser.` : withoutLink(url))
}

/** Opens the console of a server that runs in another process. */
async function showRunning(url: string, flags: Flags): Promise<number> {
  const link = `${url}/#k=${newConsoleToken(readSecret())}`
  if (flags.has('mcp')) writeErrorLine('Without the tools of --mcp: the console is served already. Stop it first.')
  if (await openBrowser(link)) writeLine(`Opened ${url}/, which is served already.`)
  else writeLine(showsLink(process.stdout, flags) ? link : withoutLink(url))
  return ExitCode.ok
}

/** A link opens a session. Output that is not a terminal may end up in a log. */
function showsLink(output: NodeJS.WriteStream, flags: Flags): boolean {
  return output.isTTY || flags.has('print-token')
}

function withoutLink(url: string): string {
  return `The console is at ${url}/. For a link that opens it, run ${programName} web in a terminal or with --print-token.`
}

function readFlags(flags: Flags): { port?: number; host?: string; keys?: string[] } {
  const port = flags.number('port')
  if (port !== undefined && port > 65_535) throw new UsageError(`Cannot listen on port ${port}: the highest is 65535`)
  const host = flags.text('host')
  const file = flags.text('key-file')
  const keys = file === undefined ? undefined : readKeys(file)
  return { ...(port !== undefined && { port }), ...(host !== undefined && { host }), ...(keys && { keys }) }
}

function readKeys(path: string): string[] {
  let text: string
  try {
    text = readText(path)
  } catch (error) {
    throw new UsageError(`Cannot read the keys in ${path}: ${systemReason(error)}`)
  }
  const keys = text.split('\n').map((line) => line.trim())
  const found = keys.filter((line) => line !== '' && !line.startsWith('#'))
  if (found.length === 0) throw new UsageError(`Cannot use the keys in ${path}: it contains none`)
  return found
}

function startScreen(url: string, chosen: EngineKind, { flags, state, page }: Started): string[] {
  const { accessText, store } = state
  const link = showsLink(process.stdout, flags)
    ? `${page?.link(url)}   (works once, then a cookie)`
    : `${url}/   (${programName} web opens it)`
  const chats = page?.chatCount === undefined ? '' : ` (${countText(page.chatCount, 'chat')})`
  return [
    ...(page ? [`  Console   ${link}`] : []),
    ...(flags.has('no-api') ? [] : [`  API       ${url}/v1/messages      export ANTHROPIC_BASE_URL=${url}`]),
    `  Engine    ${engineLabel(chosen)}      Access  ${accessText}      Log  ${logsContent(flags) ? 'with all texts' : 'metadata only'}`,
    ...(page?.toolNotes ?? []).map((note, index) => `  ${index === 0 ? 'Tools     ' : '✗ '}${note}`),
    `  Data      ${store.database.name}${chats}      ${programName} usage shows what is used`,
    '  Ctrl-C stops after open replies finish; twice stops now.',
    '',
  ]
}

interface Started {
  flags: Flags
  state: ServeState
  page: OpenConsole | undefined
}
