import {
  delta,
  failure,
  finish,
  hello,
  helloStream,
  json,
  message,
  open,
  requestId,
  close,
  sse,
  start,
  stop,
  text,
} from '../fixtures.ts'
import type { Difference, Scenario } from '../scenario.ts'

const ids: Difference = { name: 'request-ids', at: 'returned._request_id', ours: requestId }

/** `beta.messages`: the same requests with `anthropic-beta`. */
export const beta: Scenario[] = [
  {
    name: 'create() with betas',
    replies: [json(message())],
    run: ({ client }) =>
      client.beta.messages.create({
        ...hello,
        betas: ['context-management-2025-06-27', 'compact-2026-01-12'],
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
      }),
  },
  {
    name: 'create() without betas',
    replies: [json(message())],
    run: async ({ client }) => (await client.beta.messages.create(hello)).id,
  },
  {
    name: 'create() with betas and a header of its own',
    replies: [json(message())],
    run: async ({ client }) =>
      (
        await client.beta.messages.create(
          { ...hello, betas: ['a-1', 'b-2'] },
          { headers: { 'anthropic-beta': 'c-3', 'x-mine': '1' } },
        )
      ).id,
  },
  {
    name: 'create() for a profile and a workspace',
    replies: [json(message())],
    run: async ({ client }) =>
      (await client.beta.messages.create({ ...hello, user_profile_id: 'u', workspace_id: 'w' })).id,
  },
  {
    name: 'create({ stream: true })',
    replies: [sse(helloStream)],
    run: async ({ client }) =>
      Array.fromAsync(await client.beta.messages.create({ ...hello, stream: true, betas: ['a-1'] })),
  },
  {
    name: 'stream() with betas',
    replies: [sse(helloStream)],
    run: ({ client }) => client.beta.messages.stream({ ...hello, betas: ['a-1'] }).finalMessage(),
    differs: [ids],
  },
  {
    name: 'stream() with a compaction',
    replies: [
      sse([
        start(),
        open(0, { type: 'compaction', content: null, encrypted_content: null }),
        delta(0, { type: 'compaction_delta', content: 'Summary.', encrypted_content: 'e' }),
        close(0),
        ...text(1, 'On.'),
        finish('end_turn', { usage: { iterations: [{ type: 'compaction', input_tokens: 1, output_tokens: 2 }] } }),
        stop,
      ]),
    ],
    async run({ client }) {
      const summaries: string[] = []
      const stream = client.beta.messages.stream({ ...hello, betas: ['compact-2026-01-12'] })
      stream.on('compaction', (summary) => summaries.push(summary))
      return [summaries, await stream.finalMessage()]
    },
    differs: [{ ...ids, at: 'returned.1._request_id' }],
  },
  {
    name: 'countTokens() with betas',
    replies: [json({ input_tokens: 3, context_management: { original_input_tokens: 9 } })],
    run: ({ client }) =>
      client.beta.messages.countTokens({ model: hello.model, messages: hello.messages, betas: ['a-1'] }),
    differs: [
      {
        name: 'idle-betas',
        at: 'requests.0.headers.anthropic-beta',
        official: 'a-1,token-counting-2024-11-01',
        ours: 'a-1',
      },
    ],
  },
  {
    name: 'parse() with betas',
    replies: [json(message({ content: [{ type: 'text', text: '{"a":1}' }] }))],
    async run({ client }) {
      const format = {
        type: 'json_schema' as const,
        schema: { type: 'object' },
        parse: (text: string) => JSON.parse(text) as unknown,
      }
      return (await client.beta.messages.parse({ ...hello, betas: ['a-1'], output_config: { format } })).parsed_output
    },
    differs: [
      {
        name: 'idle-betas',
        at: 'requests.0.headers.anthropic-beta',
        official: 'a-1,structured-outputs-2025-12-15',
        ours: 'a-1',
      },
    ],
  },
  {
    name: 'an error',
    replies: [failure(400, 'invalid_request_error', 'Unexpected value(s) `x` for the `anthropic-beta` header.')],
    run: ({ client }) => client.beta.messages.create({ ...hello, betas: ['x'] }),
  },
  {
    name: 'batches with betas',
    replies: [
      json({ id: 'msgbatch_1' }),
      json({ id: 'msgbatch_1' }),
      json({ data: [], has_more: false, first_id: null, last_id: null }),
    ],
    async run({ client }) {
      await client.beta.messages.batches.create({ requests: [], betas: ['output-300k-2026-03-24'] })
      await client.beta.messages.batches.retrieve('msgbatch_1', { betas: ['a-1'] })
      await Array.fromAsync(client.beta.messages.batches.list({ betas: ['a-1'], limit: 3 }))
    },
  },
  {
    name: 'models with betas',
    replies: [json({ id: 'm' }), json({ data: [{ id: 'm' }], has_more: false, first_id: 'm', last_id: 'm' })],
    async run({ client }) {
      const one = await client.beta.models.retrieve('m', { betas: ['a-1'] })
      return [one.id, (await Array.fromAsync(client.beta.models.list({ betas: ['a-1'] }))).length]
    },
  },
]
