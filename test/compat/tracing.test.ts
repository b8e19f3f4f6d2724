import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Official, { type ClientOptions } from '@anthropic-ai/sdk'
import * as officialMcp from '@anthropic-ai/sdk/helpers/beta/mcp'
import * as officialToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets'
import {
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanOptions,
  type TracerProvider,
} from '@opentelemetry/api'
import Ours from 'colloquy'
import * as ourTools from 'colloquy/tools'
import * as ourToolsets from 'colloquy/tools/toolsets'
import { failure, finish, hello, helloStream, json, message, sse, start, stop, toolUse } from './fixtures.ts'
import { recordingServer, type Reply } from './recording-server.ts'

/** A span as the provider below records it. */
interface Recorded {
  name: string
  kind: unknown
  parent: string | undefined
  attributes: Record<string, unknown>
  status: unknown
  isEnded: boolean
}

interface Case {
  name: string
  replies: readonly Reply[]
  options?: ClientOptions
  env?: Record<string, string>
  /** How many spans are compared. Default all. */
  spanCount?: number
  run(client: Official, helpers: Helpers): unknown
}

type Helpers = Pick<typeof officialMcp, 'mcpTools'> &
  Pick<typeof officialToolsets, 'BetaAbstractComputerToolset20260801'>

const server = await recordingServer()
after(() => server.close())

let spans: Recorded[] = []
const provider = {
  getTracer: () => ({
    startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()) {
      const recorded: Recorded = {
        name,
        kind: options.kind,
        parent: trace.getSpan(parent)?.spanContext().spanId,
        attributes: { ...options.attributes },
        status: undefined,
        isEnded: false,
      }
      spans.push(recorded)
      const spanId = String(spans.length).padStart(16, '0')
      return {
        spanContext: () => ({ traceId: '1'.repeat(32), spanId, traceFlags: 1 }),
        isRecording: () => !recorded.isEnded,
        setAttribute(key: string, value: unknown) {
          assert.ok(!recorded.isEnded, `${key} is set on an ended span`)
          recorded.attributes[key] = value
        },
        setAttributes: (values: object) => Object.assign(recorded.attributes, values),
        setStatus: ({ code }: { code: number }) => (recorded.status = code),
        end: () => (recorded.isEnded = true),
      }
    },
  }),
} as unknown as TracerProvider

const storage = new AsyncLocalStorage<Context>()
trace.setGlobalTracerProvider(provider)
context.setGlobalContextManager({
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (active, work, self, ...values) => storage.run(active, () => work.apply(self as never, values)),
  bind: (_, target) => target,
  enable: () => context as never,
  disable: () => context as never,
})
propagation.setGlobalPropagator({
  inject(active, carrier, setter) {
    const span = trace.getSpan(active)?.spanContext()
    if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`)
  },
  extract: (active) => active,
  fields: () => ['traceparent'],
})

const good = json(message())
const identified = json(message(), {
  headers: { 'anthropic-organization-id': 'org_1', 'anthropic-workspace-id': 'ws_1' },
})
const withContent: ClientOptions = { openTelemetry: { traces: { contentMode: 'content' } } }
const talk: Official.MessageCreateParamsNonStreaming = {
  ...hello,
  system: 'Be brief',
  stop_sequences: ['END'],
  messages: [
    { role: 'user', content: 'Hello' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 's' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'é' } },
      ],
    },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: 'toolu_1',
          content: [
            { type: 'text', text: 'A door' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          ],
        },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        { type: 'text', text: 'And now? 😀😀😀😀' },
      ],
    },
  ],
}

async function read(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count++
  return count
}

const create: Case['run'] = (client) => client.messages.create(hello)
const stream: Case['run'] = async (client) => read(await client.messages.create({ ...hello, stream: true }))

type RunnerParams = Parameters<Official['beta']['messages']['toolRunner']>[0]

const look: RunnerParams['tools'][number] = {
  name: 'look',
  description: 'Looks.',
  input_schema: { type: 'object' },
  parse: (input) => input,
  run: async ({ at }: { at: string }) => {
    if (at === 'dark') throw new Error('Too dark')
    provider.getTracer('app').startSpan(`look at ${at}`)
    return [
      { type: 'text', text: `A door at ${at}` },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    ]
  },
}
const bare: RunnerParams['tools'][number] = { ...look, name: 'bare', description: '', run: () => 'Bare' }

function calls(...uses: { name: string; input?: object; toolset_name?: string }[]): Reply {
  const content = uses.map((use, index) => ({ type: 'tool_use', id: `toolu_${index}`, input: {}, ...use }))
  return json(message({ content, stop_reason: 'tool_use' }))
}

function runs(
  name: string,
  first: Reply,
  {
    tools = () => [look, bare],
    options,
    ...params
  }: Partial<Omit<RunnerParams, 'tools'>> & {
    tools?: (helpers: Helpers) => RunnerParams['tools']
    options?: ClientOptions
  } = {},
): Case {
  return {
    name,
    replies: [first, good],
    ...(options && { options }),
    run: async (client, helpers) =>
      client.beta.messages.toolRunner(
        { ...hello, thread: false, tools: tools(helpers), ...params },
        { openTelemetry: { conversationId: 'conversation_1' } },
      ),
  }
}

const looks = calls({ name: 'look', input: { at: 'north' } }, { name: 'bare' })

const runnerCases: Case[] = [
  runs('a tool runner', looks),
  runs(
    'a tool that fails, and one that is not there',
    calls({ name: 'look', input: { at: 'dark' } }, { name: 'none' }),
  ),
  runs('a tool runner with a format', good, {
    output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
  }),
  runs('tools of an MCP server', calls({ name: 'add', input: { a: 1 } }), {
    tools: ({ mcpTools }) =>
      mcpTools([{ name: 'add', description: 'Adds.', inputSchema: { type: 'object' } }], {
        callTool: async () => ({ content: [{ type: 'text', text: '2' }] }),
      }),
  }),
  runs(
    'members of a toolset',
    calls({ name: 'wait', toolset_name: 'computer' }, { name: 'zoom', toolset_name: 'computer' }),
    {
      tools: ({ BetaAbstractComputerToolset20260801: Base }) => {
        class Waiting extends Base {
          protected override wait() {}
        }
        return [new Waiting()]
      },
    },
  ),
  ...[undefined, 20, 60, 100].map((maxContentBytes) =>
    runs(`content of tools, ${maxContentBytes} bytes`, looks, {
      options: { openTelemetry: { traces: { contentMode: 'content', ...(maxContentBytes && { maxContentBytes }) } } },
    }),
  ),
  runs('a tool runner that fails', failure(400, 'invalid_request_error', 'No')),
  runs('no spans of tools', looks, { options: { openTelemetry: false } }),
  {
    name: 'a tool runner that streams',
    replies: [sse([start(), ...toolUse(0, 'look', '{"at":"north"}'), finish('tool_use'), stop]), sse(helloStream)],
    run: async (client) => {
      const runner = client.beta.messages.toolRunner({
        ...hello,
        thread: false,
        stream: true,
        runToolsEagerly: true,
        tools: [look],
      })
      for await (const step of runner) await step.finalMessage()
    },
  },
  {
    name: 'a loop that the reader leaves',
    replies: [looks],
    run: async (client) => {
      for await (const _ of client.beta.messages.toolRunner({ ...hello, thread: false, tools: [look, bare] })) break
    },
  },
  {
    name: 'a tool runner inside a span, whose reader runs the tools',
    replies: [looks, good],
    run: (client) => {
      const span = provider.getTracer('app').startSpan('work')
      return context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
        const runner = client.beta.messages.toolRunner({ ...hello, thread: false, tools: [look, bare] })
        for await (const _ of runner) await runner.generateToolResponse()
      })
    },
  },
  {
    name: 'a tool that is aborted',
    replies: [looks],
    // The official client begins another request, which it does not send.
    spanCount: 3,
    run: async (client) => {
      const controller = new AbortController()
      const tool = {
        ...look,
        run: async () => {
          controller.abort()
          throw new Error('Aborted')
        },
      }
      const params = { ...hello, thread: false as const, tools: [tool] }
      await client.beta.messages.toolRunner(params, { signal: controller.signal })
    },
  },
]

const cases: Case[] = [
  ...runnerCases,
  { name: 'a message', replies: [identified], run: create },
  {
    name: 'the options of a message',
    replies: [good],
    run: (client) =>
      client.beta.messages.create(
        {
          ...hello,
          max_tokens: 4096,
          thinking: { type: 'enabled', budget_tokens: 1024 },
          output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
          service_tier: 'auto',
          betas: ['one-2025-01-01', 'two-2025-01-01'],
        },
        { openTelemetry: { conversationId: 'conversation_1' } },
      ),
  },
  {
    name: 'cached tokens',
    replies: [
      json(
        message({
          usage: {
            input_tokens: 1,
            cache_read_input_tokens: 20,
            cache_creation_input_tokens: 300,
            cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
            output_tokens: 4,
            output_tokens_details: { thinking_tokens: 3 },
            service_tier: 'priority',
            iterations: [{ type: 'compaction', input_tokens: 5, output_tokens: 6 }],
          },
        }),
      ),
    ],
    run: create,
  },
  { name: 'a stream', replies: [sse(helloStream)], run: stream },
  {
    name: 'a stream by the helper',
    replies: [sse(helloStream)],
    run: (client) => client.messages.stream(hello).finalMessage(),
  },
  { name: 'a stream that ends early', replies: [sse(helloStream.slice(0, 4))], run: stream },
  { name: 'a stream with an error', replies: [sse([...helloStream.slice(0, 4), overloaded()])], run: stream },
  {
    name: 'a stream that the reader leaves',
    replies: [{ ...sse(helloStream.slice(0, 4)), end: 'hold' }],
    async run(client) {
      for await (const event of await client.messages.create({ ...hello, stream: true })) {
        if (event.type === 'content_block_start') break
      }
    },
  },
  { name: 'an error', replies: [failure(400, 'invalid_request_error', 'No')], run: create },
  { name: 'an error of a gateway', replies: [{ status: 404, body: ['<html>'] }], run: create },
  {
    name: 'two attempts',
    replies: [failure(529, 'overloaded_error', 'Busy', { headers: { 'retry-after-ms': '1' } }), good],
    run: create,
  },
  {
    name: 'attempts that all fail',
    replies: [failure(529, 'overloaded_error', 'Busy'), failure(529, 'overloaded_error', 'Busy')],
    options: { maxRetries: 0 },
    run: create,
  },
  {
    name: 'no connection',
    replies: [],
    run: (client) => client.withOptions({ baseURL: 'http://127.0.0.1:1', maxRetries: 0 }).messages.create(hello),
  },
  {
    name: 'a timeout',
    replies: [{ status: 0, end: 'hold' }],
    options: { maxRetries: 0, timeout: 50 },
    run: create,
  },
  {
    name: 'an abort',
    replies: [{ status: 0, end: 'hold' }],
    run: (client) => client.messages.create(hello, { signal: AbortSignal.timeout(50) }),
  },
  {
    name: 'the response itself',
    replies: [good],
    run: async (client) => (await client.messages.create(hello).asResponse()).text(),
  },
  {
    name: 'a result with its response',
    replies: [good],
    run: async (client) => client.messages.create(hello).withResponse(),
  },
  {
    name: 'a token count',
    replies: [json({ input_tokens: 12 })],
    run: (client) => client.messages.countTokens({ model: hello.model, messages: hello.messages }),
  },
  {
    name: 'batches',
    replies: [json({ id: 'msgbatch_1' }), json({ id: 'msgbatch_1' }), json({ id: 'msgbatch_1' }), json({})],
    async run(client) {
      await client.messages.batches.create({ requests: [{ custom_id: 'a', params: hello }] })
      await client.messages.batches.retrieve('msgbatch_1')
      await client.messages.batches.cancel('msgbatch_1')
      await client.messages.batches.delete('msgbatch_1')
    },
  },
  {
    name: 'lists',
    replies: [
      json({ data: [{ id: 'a' }], has_more: true, first_id: 'a', last_id: 'a' }),
      json({ data: [{ id: 'b' }], has_more: false, first_id: 'b', last_id: 'b' }),
      json({ id: 'claude-sonnet-4-6' }),
    ],
    async run(client) {
      await read(client.messages.batches.list({ limit: 1 }))
      await client.models.retrieve('claude-sonnet-4-6')
    },
  },
  {
    name: 'files',
    replies: [json({ id: 'file_1' }), json({ id: 'file_1' }), { body: ['text'] }],
    async run(client) {
      await client.beta.files.upload({ file: new File(['text'], 'a.txt') })
      await client.beta.files.retrieveMetadata('file_1')
      await (await client.beta.files.download('file_1')).text()
    },
  },
  { name: 'content', replies: [good], options: withContent, run: (client) => client.messages.create(talk) },
  ...[1, 40, 120, 300, 500].map((maxContentBytes): Case => ({
    name: `content of ${maxContentBytes} bytes`,
    replies: [good],
    options: { openTelemetry: { traces: { contentMode: 'content', maxContentBytes } } },
    run: (client) => client.messages.create(talk),
  })),
  {
    name: 'content of a stream',
    replies: [sse(helloStream)],
    options: withContent,
    run: (client) => client.messages.stream(hello).finalMessage(),
  },
  {
    name: 'content by the environment',
    replies: [good],
    env: {
      ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE: 'Content',
      ANTHROPIC_OPEN_TELEMETRY_TRACES_MAX_CONTENT_BYTES: '100',
    },
    run: create,
  },
  { name: 'none, by the option', replies: [good], options: { openTelemetry: false }, run: create },
  { name: 'none, by the traces', replies: [good], options: { openTelemetry: { traces: false } }, run: create },
  { name: 'none, by the environment', replies: [good], env: { ANTHROPIC_OPEN_TELEMETRY: 'FALSE' }, run: create },
  { name: 'no propagation', replies: [good], options: { openTelemetry: { propagation: false } }, run: create },
  {
    name: 'no propagation, by the environment',
    replies: [good],
    env: { ANTHROPIC_OPEN_TELEMETRY_PROPAGATION: 'false' },
    run: create,
  },
  {
    name: 'the option before the environment',
    replies: [good],
    options: { openTelemetry: {} },
    env: { ANTHROPIC_OPEN_TELEMETRY: 'false' },
    run: create,
  },
  {
    name: 'a copy of the client',
    replies: [good],
    options: { openTelemetry: false },
    run: (client) => client.withOptions({ maxRetries: 1 }).messages.create(hello),
  },
  {
    name: 'a span of the application',
    replies: [good],
    run: (client) => {
      const span = provider.getTracer('app').startSpan('work')
      return context.with(trace.setSpan(ROOT_CONTEXT, span), async () => client.messages.create(hello))
    },
  },
]

describe('both clients trace alike', () => {
  for (const entry of cases) {
    test(entry.name, async () => {
      const official = await traced(Official, entry, { ...officialMcp, ...officialToolsets })
      const helpers = { ...ourTools, ...ourToolsets } as unknown as Helpers
      const ours = await traced(Ours as unknown as typeof Official, entry, helpers)
      assert.deepEqual(ours, official)
    })
  }
})

async function traced(
  Client: typeof Official,
  { replies, options, env = {}, run, spanCount }: Case,
  helpers: Helpers,
): Promise<unknown> {
  spans = []
  const stage = server.stage(replies)
  Object.assign(process.env, env)
  try {
    const client = new Client({ apiKey: 'sk-ant-test', baseURL: stage.url, logLevel: 'off', ...options })
    try {
      await run(client, helpers)
    } catch {
      // Its span shows it.
    }
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
  }
  await sleep(20)
  const sent = stage.requests.map(({ headers }) => headers['traceparent'])
  await stage.settled(0)
  return { spans: spans.slice(0, spanCount).map((span) => comparable(span, stage.url)), sent }
}

function comparable({ attributes, ...span }: Recorded, url: string): unknown {
  const text = JSON.stringify(attributes).replaceAll(url, 'URL').replaceAll(new URL(url).pathname, '')
  const fields = JSON.parse(text) as Record<string, unknown>
  const first = 'gen_ai.response.time_to_first_chunk'
  if (first in fields) fields[first] = typeof fields[first]
  return { ...span, attributes: fields }
}

function overloaded(): { type: string; error: object } {
  return { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } }
}
