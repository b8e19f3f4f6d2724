import Official from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import * as officialMcp from '@anthropic-ai/sdk/helpers/beta/mcp'
import { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory'
import * as officialToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets'
import * as officialNodeToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets/node'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { BetaLocalFilesystemMemoryTool } from '@anthropic-ai/sdk/tools/memory/node'
import { setTimeout as sleep } from 'node:timers/promises'
import Colloquy from 'colloquy'
import * as colloquyTools from 'colloquy/tools'
import * as colloquyMemory from 'colloquy/tools/memory'
import * as colloquyToolsets from 'colloquy/tools/toolsets'
import * as colloquyNodeToolsets from 'colloquy/tools/toolsets/node'
import {
  deviations,
  describe,
  describeRequest,
  type DescribedRequest,
  type Deviation,
  type Outcome,
} from './outcome.ts'
import type { RecordingServer } from './recording-server.ts'
import type { Helpers, Scenario } from './scenario.ts'
import { watched, type Stopwatch } from './stopwatch.ts'

interface Sdk {
  Anthropic: typeof Official
  helpers: Helpers
}

const officialSdk: Sdk = {
  Anthropic: Official,
  helpers: {
    ...officialMcp,
    ...officialToolsets,
    ...officialNodeToolsets,
    BetaLocalFilesystemMemoryTool,
    betaMemoryTool,
    betaTool,
    betaZodTool,
    jsonSchemaOutputFormat,
    zodOutputFormat,
  },
}
const ourSdk: Sdk = {
  Anthropic: Colloquy as unknown as typeof Official,
  helpers: {
    ...colloquyTools,
    ...colloquyMemory,
    ...colloquyToolsets,
    ...colloquyNodeToolsets,
  } as unknown as Helpers,
}

/** The end of a scenario that should not hang and does. */
const patienceMs = 60_000

/**
 * Runs a scenario with both clients and returns where they differ, without the differences that apply to every request.
 */
export async function compare(server: RecordingServer, scenario: Scenario): Promise<Comparison> {
  const patience = sleep(patienceMs, undefined, { ref: false })
  const ourPlay = play({ server, scenario, sdk: ourSdk, isOver: patience })
  const { hangsMs } = scenario
  // The official client has the time that ours takes as well, however busy the machine is.
  const hangs = hangsMs === undefined ? patience : ourPlay.then(() => sleep(hangsMs))
  const officialPlay = play({ server, scenario, sdk: officialSdk, isOver: hangs })
  const [official, played] = await Promise.all([officialPlay, ourPlay])
  const ours = { ...played, waits: played.waits.map((wait, index) => sameWait(wait, official.waits[index])) }
  return { official, ours, deviations: [...deviations(translated(official), ours)] }
}

/**
 * Our client measures a timeout from the start of the request, the official one from the moment it sets its timer. On a
 * busy machine some time passes in between, which is not a difference of the clients. Applies to timeouts of a second
 * and more.
 */
function sameWait(ours: number, official = 0): number {
  return official >= 1000 && ours < official && ours >= official - 100 ? official : ours
}

export interface Comparison {
  official: Outcome
  ours: Outcome
  deviations: Deviation[]
}

interface Play {
  server: RecordingServer
  scenario: Scenario
  sdk: Sdk
  /** The end: a play that has neither returned nor thrown is pending then. */
  isOver: Promise<unknown>
}

async function play({ server, scenario, sdk, isOver }: Play): Promise<Outcome> {
  const stage = server.stage(scenario.replies ?? [])
  const stopwatch: Stopwatch = { waits: [], unhandled: [], timers: [], hurried: scenario.hurried ?? false }
  const result = await Promise.race([
    watched(stopwatch, () => act(scenario, sdk, stage)),
    isOver.then(() => ({ pending: true }) as const),
  ])
  const waits = [...stopwatch.waits]
  await stage.settled(300)
  for (const timer of stopwatch.timers) timer.unref()
  return {
    ...result,
    requests: stage.requests.map(describeRequest),
    waits,
    unhandled: stopwatch.unhandled.map((error) => describe(error)),
  }
}

async function act(
  { env = {}, options = {}, run }: Scenario,
  { Anthropic, helpers }: Sdk,
  stage: ReturnType<RecordingServer['stage']>,
): Promise<{ returned: unknown } | { threw: unknown }> {
  try {
    const given = typeof options === 'function' ? options(stage) : options
    const key = 'apiKey' in given || 'authToken' in given || hasKey(env) ? {} : { apiKey: 'sk-ant-test' }
    const baseURL = 'ANTHROPIC_BASE_URL' in env ? {} : { baseURL: stage.url }
    const client = withEnvironment(
      Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll('$url', stage.url)])),
      () => new Anthropic({ ...key, ...baseURL, logLevel: 'off', ...given }),
    )
    return { returned: describe(await run({ client, Anthropic, helpers, stage })) }
  } catch (error) {
    return { threw: describe(error) }
  }
}

function hasKey(env: Record<string, string>): boolean {
  return 'ANTHROPIC_API_KEY' in env || 'ANTHROPIC_AUTH_TOKEN' in env
}

function withEnvironment<T>(env: Record<string, string>, run: () => T): T {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith('ANTHROPIC_')) delete process.env[name]
  Object.assign(process.env, env)
  try {
    return run()
  } finally {
    for (const name of Object.keys(process.env)) if (name.startsWith('ANTHROPIC_')) delete process.env[name]
    Object.assign(process.env, before)
  }
}

/** The official outcome, with our error texts. */
function translated(outcome: Outcome): Outcome {
  return Object.values(everywhere).reduce((told, tell) => tell(told), outcome)
}

/** The differences that apply to every request, by their rows in docs/compatibility.md. */
export const everywhere: Record<string, (outcome: Outcome) => Outcome> = {
  'api-key-header': (outcome) =>
    withRequests(outcome, ({ headers: { authorization, ...headers }, ...request }) => {
      const key = /^Bearer (sk-ant-.*)/.exec(authorization ?? '')?.[1]
      if (key) return { ...request, headers: { ...headers, 'x-api-key': key } }
      return { ...request, headers: authorization ? { ...headers, authorization } : headers }
    }),
  'telemetry-headers': (outcome) =>
    withRequests(outcome, ({ headers, ...request }) => {
      const names = ['timeout', 'helper', 'helper-method'].map((name) => `x-stainless-${name}`)
      const kept = Object.entries(headers).filter(([name]) => !names.includes(name))
      return { ...request, headers: Object.fromEntries(kept) }
    }),
  'results-accept': (outcome) =>
    withRequests(outcome, ({ headers: { accept = '', ...headers }, ...request }) => {
      if (!request.path.endsWith('/results')) return { ...request, headers: { ...headers, accept } }
      return { ...request, headers: { ...headers, accept: accept.replace('application/binary', 'application/json') } }
    }),
  'parsed-output-null': ({ returned, ...outcome }) => ({
    ...outcome,
    ...(returned !== undefined && { returned: withoutParsedNull(returned) }),
  }),
}

function withRequests(outcome: Outcome, change: (request: DescribedRequest) => DescribedRequest): Outcome {
  return { ...outcome, requests: outcome.requests.map(change) }
}

/** Removes `parsed_output: null` from streamed messages. */
function withoutParsedNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutParsedNull)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, field]) => key !== 'parsed_output' || field !== null)
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutParsedNull(field)]))
}
