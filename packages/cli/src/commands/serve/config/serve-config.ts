import { createServer } from '@colloquy/server'
import { isLoopback } from '@colloquy/server/node'
import { defineModels, type Engine, type ModelEntry, models as catalogue } from 'colloquy/protocol'
import { ExitCode, UsageError } from '../../../exit.ts'
import type { Flags } from '../../../flags.ts'
import { countText } from '../../../format.ts'
import { writeErrorLine, writeLine } from '../../../terminal/output.ts'
import { accessLogger, type AccessLogOptions, logOptions, withoutProbes } from '../access-log.ts'
import { ConfigError } from './config-error.ts'
import type { EngineConfig, LimitsConfig, ServeConfig } from './config.ts'
import { isFree, mayCost } from './costs.ts'
import type { OpenConsole } from '../console/open-console.ts'
import { ConfiguredEngines, type UsedEngines } from './engines.ts'
import { type Followers, followers, loggedEngine } from '../follow.ts'
import { closeOnSignal, loopback, nameOfOrigin, open } from '../listening.ts'
import { type ReadConfig, readConfig } from './read-config.ts'
import { openState, type ServeState } from '../state.ts'
import { type MakeServer, SwitchingServer } from '../switching-server.ts'
import { programName } from '../../../terminal/program-name.ts'

const defaultPort = 4141
const dayMs = 86_400_000

/** Runs `colloquy serve --config FILE`: serves what the file says until a signal stops it. SIGHUP reads the file again. */
export async function serveConfig(flags: Flags): Promise<number> {
  try {
    return await serveFile(flags)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    error.lines.forEach(writeErrorLine)
    return error.exitCode
  }
}

async function serveFile(flags: Flags): Promise<number> {
  const path = flags.text('config')!
  for (const name of ['engine', 'key-file', 'lenient', 'allow-host'])
    if (flags.has(name)) throw new UsageError(`Cannot use --${name} with --config: write it in ${path}`)
  const read = checked(path, flags)
  const engines = new ConfiguredEngines()
  const used = await withoutSecrets(read, () => engines.use(read))
  if (flags.has('check')) return report(read)
  const { port = defaultPort, host = '127.0.0.1', hosts = [], limits, graceMs, drainMs } = read.config
  const inUse: InUse = { config: read.config, engine: used.engine }
  const state = await stateOf(inUse, flags)
  const following = await followers(flags, read.config)
  const running: Running = { path, flags, engines, state, following, listensOn: read.config, inUse }
  if (read.config.console) running.page = await consoleOf(running)
  const server = new SwitchingServer(serverOf(read, used, running))
  const isLocal = isLoopback(host)
  const allowedHosts = isLocal || hosts.length > 0 ? { allowedHosts: [...loopback, ...hosts] } : {}
  const listening = await open(server, { port, host, ...allowedHosts, ...splitLimits(limits).connection })
  if (!flags.has('json')) startScreen(listening.url, read, running).forEach(writeLine)
  // One after the other, as the file of the last signal counts.
  let reloading = Promise.resolve()
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(server, running))
  })
  const code = await closeOnSignal(listening, {
    ...(graceMs !== undefined && { graceMs }),
    ...(drainMs && { drainMs }),
    onDrain: () => server.drain(),
    stopsOnHangup: false,
  })
  await running.page?.close()
  await state.close()
  await engines.close()
  return code
}

/** Opens the keys and the ledger. They stay when the configuration is read again, and use its prices. */
function stateOf(inUse: InUse, flags: Flags): Promise<ServeState> {
  const { host = '127.0.0.1', keys, database, redis, retainDays } = inUse.config
  return openState(flags, {
    host,
    keys: keys as string[] | undefined,
    isPriced: ({ model, attempts }) => {
      const { config } = inUse
      return attempts.length === 0 ? mayCost(config, model ?? '') : !isFree(config, attempts.at(-1)?.engine)
    },
    ...(retainDays !== undefined && { retainMs: retainDays * dayMs }),
    models: modelsOf(inUse.config),
    database: flags.has('database') ? undefined : (database as string | undefined),
    ...(redis !== undefined && !flags.has('redis') && { redis: redis as string }),
  })
}

/** The configuration that was read last, and its engine. */
interface InUse {
  config: ServeConfig
  engine: Engine
}

interface Running {
  path: string
  flags: Flags
  engines: ConfiguredEngines
  state: ServeState
  following: Followers
  /** The configuration at the start: its port and hosts stay. */
  listensOn: ServeConfig
  inUse: InUse
  /** The console, if the configuration has one. */
  page?: OpenConsole
}

/** Opens the console. It stays when the configuration is read again, and uses the new engines. */
async function consoleOf(running: Running): Promise<OpenConsole> {
  const { openConsole } = await import('../console/open-console.ts')
  const { configuredChats } = await import('../console/configured-chats.ts')
  const { flags, state, inUse } = running
  const { access, store } = state
  const chats = configuredChats({
    engine: () => inUse.engine,
    access,
    isFree: (model) => !mayCost(inUse.config, model),
  })
  const members = inUse.config.console === 'members'
  return openConsole(flags, { chats, access, serverStore: store, members })
}

/** Replaces the server by that of the changed file. A file with a mistake changes nothing, and its first mistakes are one line. */
async function reload(server: SwitchingServer, running: Running): Promise<void> {
  const { path, flags, engines, state, listensOn } = running
  try {
    const read = checked(path, flags)
    const used = await withoutSecrets(read, () => engines.use(read))
    state.access.listedKeys = (read.config.keys ?? []) as string[]
    state.access.models = modelsOf(read.config)
    Object.assign(running.inUse, { config: read.config, engine: used.engine } satisfies InUse)
    const settled = server.use(serverOf(read, used, running))
    writeErrorLine(`Loaded ${path}.`)
    for (const name of ['port', 'host', 'hosts', 'database', 'redis', 'metrics', 'console', 'retainDays'] as const)
      if (JSON.stringify(read.config[name]) !== JSON.stringify(listensOn[name]))
        writeErrorLine(`${name} has changed: it takes effect with a restart.`)
    // Not awaited: replies in flight may still use the engines of before.
    void settled.then(() => used.closeOthers()).catch((error: Error) => writeErrorLine(error.message))
  } catch (error) {
    writeErrorLine(`The earlier configuration stays in use: ${(error as Error).message.replaceAll(/\s*\n\s*/g, ' ')}`)
  }
}

/** The configuration of a file, with the port and host of the flags. */
function checked(path: string, flags: Flags): ReadConfig {
  const read = readConfig(path)
  const port = flags.number('port') ?? read.config.port
  const host = flags.text('host') ?? read.config.host
  const config = { ...read.config, ...(port !== undefined && { port }), ...(host !== undefined && { host }) }
  return { ...read, config }
}

/** Runs work whose errors may repeat a value of the configuration. */
async function withoutSecrets<Result>({ secrets }: ReadConfig, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UsageError && !secrets.some((secret) => error.message.includes(secret))) throw error
    const text = secrets.reduce((message, secret) => message.replaceAll(secret, '…'), (error as Error).message)
    throw new UsageError(text)
  }
}

function serverOf(
  { config }: ReadConfig,
  { engine, client }: UsedEngines,
  { flags, state: { access, store }, following, page }: Running,
): MakeServer {
  const { lenient = Object.values(config.engines).some(needsLenience), origins = [], limits, cacheAccounting } = config
  const { server } = splitLimits(limits)
  const names = [...loopback, ...(config.hosts ?? [])]
  const log = withoutProbes(
    accessLogger({
      ...logOf(config, flags),
      isLocal: ({ attempts }) => isFree(config, attempts.at(-1)?.engine),
    }),
  )
  const logged = loggedEngine(engine, flags, config)
  return (onEnd) =>
    createServer({
      ...following,
      engine: logged,
      lenient,
      origins: (origin) => origins.includes(origin) || names.includes(nameOfOrigin(origin)),
      access,
      store,
      ...(page && { routes: page.routes }),
      ...(cacheAccounting !== undefined && { cacheAccounting }),
      ...(client && { passOn: { client } }),
      ...(config.models && { models: modelsOf(config) }),
      ...server,
      log: (entry) => {
        log(entry)
        onEnd()
      },
    })
}

/** The models of the catalogue, after those that a configuration defines. */
function modelsOf({ models = [] }: ServeConfig): readonly ModelEntry[] {
  return [...defineModels(models), ...catalogue]
}

/** The limits of the connections, and those of the server behind them. */
function splitLimits({ maxConnections, keepAliveMs, ...server }: LimitsConfig = {}): SplitLimits {
  return {
    connection: { ...(maxConnections && { maxConnections }), ...(keepAliveMs !== undefined && { keepAliveMs }) },
    server,
  }
}

interface SplitLimits {
  connection: Pick<LimitsConfig, 'maxConnections' | 'keepAliveMs'>
  server: Omit<LimitsConfig, 'maxConnections' | 'keepAliveMs'>
}

function logOf({ log = 'text' }: ServeConfig, flags: Flags): Omit<AccessLogOptions, 'isLocal'> {
  const options = logOptions(flags)
  return options.format === 'text' ? { ...options, format: log } : options
}

/** The offline engine answers as strictly as the API, so that a test against it means something. */
function needsLenience({ type }: EngineConfig): boolean {
  return type !== 'offline' && type !== 'script'
}

function report({ path, config }: ReadConfig): number {
  const routes = Object.keys(config.routes ?? { '*': '' })
  const engines = Object.keys(config.engines)
  writeLine(
    `${path} is right: ${countText(engines.length, 'engine')} (${engines.join(', ')}), routes for ${routes.join(', ')}`,
  )
  return ExitCode.ok
}

function startScreen(url: string, { config }: ReadConfig, { flags, state, page }: Running): string[] {
  const { engines, routes = {} } = config
  const { accessText, store } = state
  // A link opens a session, and standard output may end up in a log.
  const hasLink = process.stdout.isTTY || flags.has('print-token')
  const link = hasLink
    ? `${page?.link(url)}   (works once, then a cookie)`
    : `${url}/#k=KEY   (${config.console === 'members' ? 'any key' : 'an admin key'} opens it)`
  return [
    ...(page ? [`  Console   ${link}`] : []),
    `  API       ${url}/v1/messages      export ANTHROPIC_BASE_URL=${url}`,
    `  Engines   ${Object.keys(engines).join(', ')}      Routes  ${Object.keys(routes).join(', ') || '*'}      Access  ${accessText}`,
    `  Data      ${store.database.name}      ${programName} usage shows what is used`,
    '  SIGHUP reads the configuration again. Ctrl-C stops after open replies finish; twice stops now.',
    '',
  ]
}
