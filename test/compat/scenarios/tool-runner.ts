import type Anthropic from '@anthropic-ai/sdk'
import type { BetaContentBlockParam, BetaMessage, BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages'
import * as z from 'zod'
import { failure, finish, hello, json, message, sse, start, stop, text, toolUse } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import type { Helpers, Scenario } from '../scenario.ts'

type RunnerParams = Parameters<Anthropic['beta']['messages']['toolRunner']>[0]

/** A question, and tools that succeed or fail. */
function asks(
  { betaTool }: Helpers,
  params: Partial<Omit<RunnerParams, 'thread'>> & { thread?: boolean } = {},
): RunnerParams & { stream?: false } {
  const weather = betaTool({
    name: 'get_weather',
    description: 'The weather in a city.',
    inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    run: ({ city }) => `18 °C in ${city}`,
  })
  const broken = betaTool({
    name: 'broken',
    description: 'Fails.',
    inputSchema: { type: 'object', properties: {} },
    run: () => Promise.reject(new RangeError('out of order')),
  })
  return { ...hello, tools: [weather, broken], ...params } as RunnerParams & { stream?: false }
}

/** A tool whose input is checked by zod. */
function doubles({ betaZodTool }: Helpers): RunnerParams['tools'] {
  const double = betaZodTool({
    name: 'double',
    description: 'Wants a number.',
    inputSchema: z.object({ n: z.number() }),
    run: ({ n }) => [{ type: 'text', text: String(n * 2) }],
  })
  return [double]
}

function calls(...uses: { name: string; input: unknown }[]): Reply {
  const content = uses.map(({ name, input }, index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input }))
  return json(message({ id: `msg_${uses.length}`, content, stop_reason: 'tool_use' }))
}

/** A reply in the form of the next request. */
function said({ role, content }: BetaMessage): BetaMessageParam {
  return { role, content: content as BetaContentBlockParam[] }
}

const done = json(message())

const inContainer = json(
  message({
    content: [{ type: 'tool_use', id: 'toolu_0', name: 'get_weather', input: { city: 'Paris' } }],
    stop_reason: 'tool_use',
    container: { id: 'container_1', expires_at: '2026-12-01T00:00:00Z' },
  }),
)

const summary = json(
  message({
    id: 'msg_summary',
    content: [{ type: 'compaction', content: 'They spoke of the weather.' }],
    stop_reason: 'compaction',
  }),
)

/** The tool loop, with and without a thread. */
export const toolRunner: Scenario[] = [
  runs('a call and its answer', [calls({ name: 'get_weather', input: { city: 'Paris' } }), done]),
  runs('no call', [done]),
  runs('two calls at once', [
    calls({ name: 'get_weather', input: { city: 'Paris' } }, { name: 'get_weather', input: { city: 'Rome' } }),
    done,
  ]),
  runs('three rounds', [
    calls({ name: 'get_weather', input: { city: 'Paris' } }),
    calls({ name: 'get_weather', input: { city: 'Rome' } }),
    done,
  ]),
  runs('a tool that throws', [calls({ name: 'broken', input: {} }), done]),
  runs('a tool that is not there', [calls({ name: 'nobody', input: {} }), done]),
  {
    name: 'a tool whose input zod checks',
    replies: [calls({ name: 'double', input: { n: 4 } }), calls({ name: 'double', input: { n: 'four' } }), done],
    run: async ({ client, helpers }) =>
      (await client.beta.messages.toolRunner(asks(helpers, { tools: doubles(helpers), thread: false }))).id,
    differs: [
      ...[0, 1, 2].map((index) => ({
        name: 'tool-schemas',
        at: `requests.${index}.body.tools.0.input_schema.additionalProperties`,
        official: false,
      })),
      {
        name: 'own-errors',
        at: 'requests.2.body.messages.4.content.0.content',
        official: /^Error: \[\n/,
        ours: 'Error: Schema validation failed with 1 issue(s):\n  - n: Invalid input: expected number, received string',
      },
    ],
  },
  runs('a reply that was cut off at max_tokens', [
    json(
      message({
        stop_reason: 'max_tokens',
        content: [{ type: 'tool_use', id: 'toolu_0', name: 'get_weather', input: {} }],
      }),
    ),
  ]),
  runs('a paused turn is resumed', [json(message({ stop_reason: 'pause_turn' })), done]),
  runs('an error from the API', [failure(400, 'invalid_request_error', 'No')]),
  runs(
    'a limit of rounds',
    [
      calls({ name: 'get_weather', input: { city: 'A' } }),
      calls({ name: 'get_weather', input: { city: 'B' } }),
      calls({ name: 'get_weather', input: { city: 'C' } }),
    ],
    { max_iterations: 2 },
  ),
  {
    name: 'its messages in a loop',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), done],
    async run({ client, helpers }) {
      const seen: unknown[] = []
      for await (const reply of client.beta.messages.toolRunner(asks(helpers, { thread: false })))
        seen.push(reply.stop_reason)
      return seen
    },
  },
  {
    name: 'streamed, its text and calls',
    replies: [
      sse([
        start(),
        ...text(0, 'Let me see.'),
        ...toolUse(1, 'get_weather', '{"city":', '"Paris"}'),
        finish('tool_use'),
        stop,
      ]),
      sse([start(), ...text(0, 'Warm.'), finish(), stop]),
    ],
    async run({ client, helpers }) {
      const seen: unknown[] = []
      for await (const stream of client.beta.messages.toolRunner({
        ...asks(helpers, { thread: false }),
        stream: true,
      })) {
        stream.on('text', (text) => seen.push(text))
        seen.push((await stream.finalMessage()).stop_reason)
      }
      return seen
    },
  },
  {
    name: 'messages that are pushed on the way',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), done, done],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      let pushed = false
      for await (const reply of runner) {
        if (reply.stop_reason === 'end_turn' && !pushed) {
          pushed = true
          runner.pushMessages(said(reply), { role: 'user', content: 'And Rome?' })
        }
      }
      return runner.params.messages
    },
  },
  {
    name: 'parameters that change on the way',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), done],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      for await (const reply of runner) {
        if (reply.stop_reason !== 'tool_use') continue
        const results = await runner.generateToolResponse()
        runner.setMessagesParams((params) => ({
          ...params,
          max_tokens: 99,
          messages: [...params.messages, said(reply), results!],
        }))
      }
    },
  },
  {
    name: 'the container of a reply is sent back',
    replies: [inContainer, done],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      const containers: unknown[] = []
      for await (const _ of runner) containers.push(runner.params.container)
      return containers
    },
  },
  {
    name: 'a given container stays',
    replies: [inContainer, done],
    run: async ({ client, helpers }) =>
      (await client.beta.messages.toolRunner(asks(helpers, { thread: false, container: 'own' }))).id,
  },
  {
    name: 'blocks that the API refuses in a request',
    replies: [
      json(
        message({
          stop_reason: 'tool_use',
          content: [
            { type: 'text', text: ' ' },
            { type: 'tool_use', id: 'toolu_0', name: 'nobody', input: 'Paris' },
          ],
        }),
      ),
      json(message({ content: [] })),
    ],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      await runner
      return runner.params.messages.length
    },
    differs: [
      {
        name: 'unsendable-blocks',
        at: 'requests.1.body.messages.1.content',
        official: [
          { type: 'text', text: ' ' },
          { type: 'tool_use', id: 'toolu_0', name: 'nobody', input: 'Paris' },
        ],
        ours: [{ type: 'tool_use', id: 'toolu_0', name: 'nobody', input: {} }],
      },
      { name: 'unsendable-blocks', at: 'returned', official: 4, ours: 3 },
    ],
  },
  {
    name: 'a loop that is left',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } })],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      for await (const _ of runner) break
      const done = runner.done().then(
        () => 'resolved',
        () => 'rejected',
      )
      return Promise.race([done, new Promise((resolve) => setImmediate(resolve, 'pending'))])
    },
    differs: [{ name: 'left-runners', at: 'returned', official: 'pending', ours: 'rejected' }],
  },
  {
    name: 'a loop again after an error',
    replies: [
      calls({ name: 'get_weather', input: { city: 'Paris' } }),
      failure(400, 'invalid_request_error', 'No'),
      calls({ name: 'get_weather', input: { city: 'Rome' } }),
      done,
    ],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false, max_iterations: 3 }))
      const seen: unknown[] = []
      for (let loop = 0; loop < 2; loop++) {
        try {
          for await (const { stop_reason } of runner) seen.push(stop_reason)
        } catch (error) {
          seen.push((error as Error).name)
        }
      }
      return [seen, (await runner.done()).id]
    },
  },
  {
    name: 'the signal that a tool receives',
    replies: [calls({ name: 'watch', input: {} }), done],
    async run({ client, helpers }) {
      const { signal } = new AbortController()
      let received: unknown
      const watch = helpers.betaTool({
        name: 'watch',
        description: 'Watches.',
        inputSchema: { type: 'object', properties: {} },
        run: (_, context) => String((received = context?.signal)),
      })
      await client.beta.messages.toolRunner(asks(helpers, { tools: [watch], thread: false }), { signal })
      return received === signal
    },
    differs: [{ name: 'tool-signals', at: 'returned', official: true, ours: false }],
  },
  {
    name: 'addTools() and removeTools()',
    replies: [
      calls({ name: 'get_weather', input: { city: 'Paris' } }, { name: 'broken', input: {} }),
      calls({ name: 'late', input: {} }, { name: 'get_weather', input: { city: 'Rome' } }, { name: 'raw', input: {} }),
      json(message({ stop_reason: 'pause_turn' })),
      calls({ name: 'late', input: {} }),
      done,
    ],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      const late = helpers.betaTool({
        name: 'late',
        description: 'Comes later.',
        inputSchema: { type: 'object', properties: {} },
        run: () => 'here',
      })
      let step = 0
      for await (const _ of runner) {
        if (step === 0) {
          runner.removeTools('get_weather')
          runner.addTools(late, { name: 'raw', input_schema: { type: 'object' } })
        } else if (step === 1) runner.removeTools(late)
        else if (step === 2) runner.addTools(late)
        step++
      }
      return [step, runner.params.tools?.length]
    },
  },
  {
    name: 'changes of the tools in the messages',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }, { name: 'broken', input: {} }), done],
    run: async ({ client, helpers }) =>
      (
        await client.beta.messages.toolRunner(
          asks(helpers, {
            thread: false,
            messages: [
              ...hello.messages,
              {
                role: 'system',
                content: [{ type: 'tool_removal', tool: { type: 'tool_reference', name: 'get_weather' } }],
              },
            ],
          }),
        )
      ).id,
  },
  {
    name: 'compactBeforeNextTurn() in the middle',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), summary, done],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(
        asks(helpers, {
          thread: false,
          stop_sequences: ['END'],
          tool_choice: { type: 'any' },
          output_config: { effort: 'low' },
        }),
      )
      const seen: unknown[] = []
      for await (const { stop_reason, content } of runner) {
        seen.push(stop_reason, content[0]?.type)
        if (stop_reason === 'tool_use') runner.compactBeforeNextTurn()
      }
      return [seen, (await runner.done()).id, runner.params.messages]
    },
  },
  {
    name: 'compactBeforeNextTurn() at the end',
    replies: [done, summary],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      const seen: unknown[] = []
      for await (const { stop_reason } of runner) {
        seen.push(stop_reason)
        if (stop_reason === 'end_turn') runner.compactBeforeNextTurn({ type: 'summarize', instructions: 'Short.' })
      }
      return [seen, (await runner.done()).content[0]?.type, runner.params.messages]
    },
  },
  ...['tool_use', 'end_turn'].map((when): Scenario => ({
    name: `compactBeforeNextTurn() over a thread, after ${when}`,
    replies: [
      calls({ name: 'get_weather', input: { city: 'Paris' } }),
      ...(when === 'tool_use' ? [summary, done] : [done, summary]),
      json(message({ id: 'msg_after' })),
    ],
    async run({ client, helpers }) {
      const thread = client.beta.messages.thread(asks(helpers))
      const runner = thread.toolRunner()
      for await (const { stop_reason } of runner) if (stop_reason === when) runner.compactBeforeNextTurn()
      const { messages, previousMessageId } = thread
      return [messages, previousMessageId, (await thread.send({ role: 'user', content: 'And now?' })).id]
    },
  })),
  {
    name: 'compactBeforeNextTurn() without a summary',
    replies: [
      calls({ name: 'get_weather', input: { city: 'Paris' } }),
      json(message({ id: 'msg_none', content: [] })),
      done,
    ],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      let step = 0
      for await (const _ of runner) if (step++ === 0) runner.compactBeforeNextTurn()
      return [step, (await runner.done()).id]
    },
  },
  {
    name: 'compactBeforeNextTurn() of a reply whose calls are cut off',
    replies: [
      json(
        message({
          stop_reason: 'max_tokens',
          content: [{ type: 'tool_use', id: 'toolu_0', name: 'get_weather', input: {} }],
        }),
      ),
    ],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      for await (const _ of runner) runner.compactBeforeNextTurn()
      return (await runner.done()).stop_reason
    },
  },
  {
    name: 'parameters that a runner does not take',
    async run({ client, helpers }) {
      const names: string[] = []
      const fails = (run: () => unknown): void => {
        try {
          run()
          names.push('none')
        } catch (error) {
          names.push((error as object).constructor.name)
        }
      }
      const compaction = { compaction: { type: 'summarize' } } as object
      const edits = { context_management: { edits: [{ type: 'compact_20260112' as const }] } }
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      fails(() => client.beta.messages.toolRunner(asks(helpers, { thread: false, ...compaction })))
      fails(() => client.beta.messages.toolRunner(asks(helpers, { thread: false, runToolsEagerly: true })))
      fails(() => client.beta.messages.toolRunner(asks(helpers, { thread: false, ...edits })).compactBeforeNextTurn())
      fails(() => runner.setMessagesParams({ ...runner.params, ...compaction }))
      runner.compactBeforeNextTurn()
      fails(() => runner.setMessagesParams({ ...runner.params, ...edits }))
      fails(() => runner.setMessagesParams({ ...runner.params, max_tokens: 9 }))
      return names
    },
  },
  {
    name: 'runToolsEagerly and deferToolCall()',
    replies: [
      sse([
        start(),
        ...toolUse(0, 'first', '{}'),
        ...toolUse(1, 'second', '{}'),
        ...toolUse(2, 'third', '{}'),
        finish('tool_use'),
        stop,
      ]),
      sse([start(), ...text(0, 'Done.'), finish(), stop]),
    ],
    async run({ client, helpers }) {
      const seen: string[] = []
      const tools = ['first', 'second', 'third'].map((name) =>
        helpers.betaTool({
          name,
          description: name,
          inputSchema: { type: 'object', properties: {} },
          run: () => {
            seen.push(`run ${name}`)
            return name
          },
        }),
      )
      const runner = client.beta.messages.toolRunner({
        ...asks(helpers, { tools, thread: false, runToolsEagerly: true }),
        stream: true,
      })
      for await (const stream of runner) {
        stream.on('contentBlock', (block) => {
          if (block.type === 'tool_use' && block.name === 'second') runner.deferToolCall(block)
        })
        for await (const event of stream) if (event.type === 'message_stop') seen.push('message_stop')
        seen.push(`held ${runner.deferredToolCalls.map(({ name }) => name).join()}`)
      }
      return [seen, runner.deferredToolCalls]
    },
  },
  {
    name: 'runUntilDone(), done() and await give the last reply',
    replies: [done],
    async run({ client, helpers }) {
      const runner = client.beta.messages.toolRunner(asks(helpers, { thread: false }))
      const [a, b] = await Promise.all([runner.runUntilDone(), runner.done()])
      return [a === b, a.id]
    },
  },
  {
    name: 'over a thread',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), done],
    run: async ({ client, helpers }) => (await client.beta.messages.thread(asks(helpers)).toolRunner()).id,
  },
  {
    name: 'over a thread, on a server without threads',
    replies: [
      failure(400, 'invalid_request_error', 'no threads', {
        details: { error_code: 'thread_unsupported_request', unsupported: ['thinking'] },
      }),
      calls({ name: 'get_weather', input: { city: 'Paris' } }),
      done,
    ],
    run: async ({ client, helpers }) =>
      (
        await client.beta.messages
          .thread({ ...asks(helpers), unsupportedRequestBehavior: 'continue_unthreaded' })
          .toolRunner()
      ).id,
  },
  {
    name: 'without the option thread',
    replies: [calls({ name: 'get_weather', input: { city: 'Paris' } }), done],
    run: async ({ client, helpers }) => (await client.beta.messages.toolRunner(asks(helpers))).id,
    differs: [
      ...[0, 1].map((index) => ({
        name: 'tool-runner-threads',
        at: `requests.${index}.headers.anthropic-beta`,
        official: 'message-threads-2026-08-12',
      })),
      { name: 'tool-runner-threads', at: 'requests.0.body.thread', official: { type: 'create' } },
      {
        name: 'tool-runner-threads',
        at: 'requests.1.body',
        official: { thread: { type: 'continue' } },
        ours: { messages: [{ content: 'Hello' }] },
      },
    ],
  },
]

function runs(name: string, replies: Reply[], params: { max_iterations?: number } = {}): Scenario {
  return {
    name,
    replies,
    run: ({ client, helpers }) =>
      client.beta.messages.toolRunner(asks(helpers, { ...params, thread: false })).runUntilDone(),
  }
}
