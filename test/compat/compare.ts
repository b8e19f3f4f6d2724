import Official from '@anthropic-ai/sdk'
import { setTimeout as sleep } from 'node:timers/promises'
import Colloquy from 'colloquy'
import { deviations, describe, describeRequest, type Deviation, type Outcome } from './outcome.ts'
import type { RecordingServer } from './recording-server.ts'
import type { Scenario } from './scenario.ts'
import { watched, type Stopwatch } from './stopwatch.ts'

/** Plays a scenario with both clients and says where they part, after the differences that hold for every request. */
export async function compare(server: RecordingServer, scenario: Scenario): Promise<Comparison> {
  const [official, ours] = await Promise.all([
    play(server, scenario, Official),
    play(server, scenario, Colloquy as unknown as typeof Official),
  ])
  return { official, ours, deviations: [...deviations(translated(official), ours)] }
}

export interface Comparison {
  official: Outcome
  ours: Outcome
  deviations: Deviation[]
}

async function play(server: RecordingServer, scenario: Scenario, Anthropic: typeof Official): Promise<Outcome> {
  const stage = server.stage(scenario.replies ?? [])
  const stopwatch: Stopwatch = { waits: [], unhandled: [], timers: [], hurried: scenario.hurried ?? false }
  const result = await Promise.race([
    watched(stopwatch, () => act(scenario, Anthropic, stage)),
    sleep(scenario.limitMs ?? 5000, { pending: true } as const, { ref: false }),
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
  Anthropic: typeof Official,
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
    return { returned: describe(await run({ client, Anthropic, stage })) }
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

/** The official outcome, told in our words. */
function translated(outcome: Outcome): Outcome {
  return Object.values(everywhere).reduce((told, tell) => tell(told), outcome)
}

/** The differences that no scenario needs to name, by their rows in docs/compatibility.md. */
export const everywhere: Record<string, (outcome: Outcome) => Outcome> = {
  'api-key-header': (outcome) =>
    withHeaders(outcome, ({ authorization, ...headers }) => {
      if (!authorization?.startsWith('Bearer sk-ant-')) return authorization ? { ...headers, authorization } : headers
      return { ...headers, 'x-api-key': authorization.slice('Bearer '.length) }
    }),
  'telemetry-headers': (outcome) =>
    withHeaders(outcome, (headers) => {
      const names = ['timeout', 'helper', 'helper-method'].map((name) => `x-stainless-${name}`)
      return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
    }),
  'parsed-output-null': ({ returned, ...outcome }) => ({
    ...outcome,
    ...(returned !== undefined && { returned: withoutParsedNull(returned) }),
  }),
}

function withHeaders(outcome: Outcome, change: (headers: Record<string, string>) => Record<string, string>): Outcome {
  return { ...outcome, requests: outcome.requests.map((request) => ({ ...request, headers: change(request.headers) })) }
}

/** A value whose streamed messages do not say that nothing was parsed. */
function withoutParsedNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutParsedNull)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, field]) => key !== 'parsed_output' || field !== null)
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutParsedNull(field)]))
}
