import {
  BetaFallbackState as OfficialState,
  betaRefusalFallbackMiddleware as officialMiddleware,
} from '@anthropic-ai/sdk'
import { BetaFallbackState, betaRefusalFallbackMiddleware } from 'colloquy'
import { close, delta, failure, hello, json, message, open, sse, start, stop, type Event } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import type { Context, Difference, Scenario } from '../scenario.ts'

type Params = Parameters<Context['client']['beta']['messages']['create']>[0]
type Fallbacks = Parameters<typeof officialMiddleware>[0]
type Options = Parameters<typeof officialMiddleware>[1]

const chain: Fallbacks = [{ model: 'second' }, { model: 'third', max_tokens: 7, output_config: { effort: 'low' } }]

const details = (fields: object = {}): object => ({
  type: 'refusal',
  category: 'cyber',
  explanation: 'No',
  fallback_credit_token: 'credit_1',
  ...fields,
})

const refusal = (model: string, fields: object = {}): Reply =>
  json(message({ model, content: [], stop_reason: 'refusal', stop_details: details(fields) }))

const answer = (model: string): Reply => json(message({ model }))

const shell = { type: 'text', text: '' }
const said = (text: string): Event => delta(0, { type: 'text_delta', text })

/** A stream that a model ends with a refusal, after some text. */
function refusedStream(model: string, text: string, fields: object = {}): Reply {
  const end = {
    type: 'message_delta',
    delta: { stop_reason: 'refusal', stop_sequence: null, stop_details: details(fields) },
    usage: { output_tokens: 3, input_tokens: null },
  }
  return sse([start({ model }), open(0, shell), said(text), end, stop])
}

function answeredStream(model: string, text: string): Reply {
  const end = {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 9 },
  }
  return sse([start({ model }), open(0, shell), said(text), close(0), end, stop])
}

/** Other models answer when one refuses. */
export const fallbacks: Scenario[] = [
  asks('no refusal', [answer('first')]),
  asks('one refusal', [refusal('first'), answer('second')]),
  asks('two refusals', [refusal('first'), refusal('second', { fallback_credit_token: 'credit_2' }), answer('third')]),
  asks('refusals to the end', [refusal('first'), refusal('second'), refusal('third')]),
  asks('a refusal without a token', [refusal('first', { fallback_credit_token: null }), answer('second')]),
  asks('a refusal without details', [json(message({ stop_reason: 'refusal', stop_details: null })), answer('second')]),
  asks('an error of the first model', [failure(400, 'invalid_request_error', 'No')]),
  asks('an error of a fallback', [refusal('first'), failure(404, 'not_found_error', 'No model')]),
  asks('a body that is changed by a fallback', [refusal('first'), refusal('second'), answer('third')], {
    params: {
      output_config: { effort: 'high', format: null },
      thinking: { type: 'between_tools' },
      stop_sequences: ['x'],
    },
    fallbacks: [
      { model: 'second', thinking: { type: 'adaptive' }, output_config: null, stop_sequences: null },
      { model: 'third', output_config: { effort: null } },
    ],
  }),
  asks(
    'a fast request that finds no room',
    [refusal('first'), failure(529, 'overloaded_error', 'Full'), answer('second')],
    {
      params: { speed: 'fast' },
    },
  ),
  asks('a fast fallback that finds no room', [refusal('first'), failure(400, 'invalid_request_error', 'Full')], {
    params: { speed: 'fast' },
    fallbacks: [{ model: 'second', speed: 'fast' }],
  }),
  asks('fallback blocks of the history are not sent', [answer('first')], {
    params: {
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } },
            { type: 'text', text: 'Hello' },
          ],
        },
        { role: 'assistant', content: [{ type: 'fallback', from: { model: 'a' }, to: { model: 'b' } }] },
        { role: 'user', content: 'And?' },
      ],
    },
  }),
  asks('betas of its own', [refusal('first'), answer('second')], {
    options: { betas: ['x-1'] },
    params: { betas: ['y-1'] },
  }),
  asks('no fallbacks', [refusal('first')], { fallbacks: [] }),
  {
    name: 'a state keeps the model that answered',
    replies: [refusal('first'), answer('second'), answer('second'), refusal('second'), answer('third')],
    run: (context) =>
      withFallbacks(context, {}, async (client, State) => {
        const fallbackState = new State()
        const indexes: unknown[] = [fallbackState.index]
        for (let i = 0; i < 3; i++) {
          await client.beta.messages.create(hello, { fallbackState })
          indexes.push(fallbackState.index)
        }
        return indexes
      }),
  },
  {
    name: 'a state beyond the fallbacks',
    run: (context) =>
      withFallbacks(context, {}, async (client) => {
        const error: unknown = await client.beta.messages
          .create(hello, { fallbackState: { index: 2 } })
          .catch((error: unknown) => error)
        return error instanceof context.Anthropic.AnthropicError
      }),
  },
  {
    name: 'fallbacks of the API beside those of the middleware',
    run: (context) =>
      withFallbacks(context, {}, async (client) => {
        const params = { ...hello, fallbacks: [{ model: 'x' }] } as Params
        const error: unknown = await client.beta.messages.create(params).catch((error: unknown) => error)
        return error instanceof context.Anthropic.AnthropicError
      }),
  },
  streams('no refusal', [answeredStream('first', 'Hello')]),
  streams('one refusal', [refusedStream('first', 'Hel'), answeredStream('second', 'Hello')]),
  streams('a refusal whose part may be continued', [
    refusedStream('first', 'Hel', { fallback_has_prefill_claim: true }),
    answeredStream('second', 'lo'),
  ]),
  streams('two refusals', [
    refusedStream('first', 'He', { fallback_has_prefill_claim: true }),
    refusedStream('second', 'l', { fallback_has_prefill_claim: true, fallback_credit_token: 'credit_2' }),
    answeredStream('third', 'lo'),
  ]),
  streams('a part that the fallback does not take', [
    refusedStream('first', 'He', { fallback_has_prefill_claim: true }),
    failure(400, 'invalid_request_error', 'no prefill'),
    answeredStream('second', 'Hello'),
  ]),
  streams('a fallback that fails, and another', [
    refusedStream('first', 'He'),
    failure(404, 'not_found_error', 'no model'),
    answeredStream('third', 'Hello'),
  ]),
  streams('fallbacks that fail to the end', [
    refusedStream('first', 'He'),
    failure(404, 'not_found_error', 'no model'),
    failure(403, 'permission_error', 'not yours'),
  ]),
  streams('refusals to the end', [
    refusedStream('first', 'He'),
    refusedStream('second', 'l', { fallback_credit_token: 'credit_2' }),
    refusedStream('third', 'lo', { fallback_credit_token: 'credit_3' }),
  ]),
  streams('a refusal without a token', [refusedStream('first', 'He', { fallback_credit_token: null })]),
  streams(
    'a fast request that finds no room',
    [refusedStream('first', 'He'), failure(529, 'overloaded_error', 'Full'), answeredStream('second', 'Hello')],
    { params: { speed: 'fast' } },
  ),
  streams('a tool call that is cut', [
    sse([
      start(),
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'n', input: {} } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":1}' } },
      close(0),
      open(1, shell),
      {
        type: 'message_delta',
        delta: { stop_reason: 'refusal', stop_details: details({ fallback_has_prefill_claim: true }) },
        usage: { output_tokens: 3 },
      },
      stop,
    ]),
    answeredStream('second', 'lo'),
  ]),
  {
    name: 'a stream that is left while a fallback is asked',
    replies: [refusedStream('first', 'He'), { status: 0, end: 'hold' }],
    run: (context) =>
      withFallbacks(context, {}, async (client) => {
        const types: string[] = []
        for await (const { type } of client.beta.messages.stream(hello)) {
          types.push(type)
          if (types.length === 5) break
        }
        return types
      }),
  },
]

interface Settings {
  params?: object
  fallbacks?: Fallbacks
  options?: Options
}

function asks(name: string, replies: Reply[], settings: Settings = {}, differs: readonly Difference[] = []): Scenario {
  return {
    name: `a reply: ${name}`,
    replies,
    differs,
    run: (context) =>
      withFallbacks(context, settings, (client) =>
        client.beta.messages.create({ ...hello, model: 'first', ...settings.params } as Params),
      ),
  }
}

function streams(name: string, replies: Reply[], settings: Settings = {}): Scenario {
  return {
    name: `a stream: ${name}`,
    replies,
    run: (context) => {
      const kinds: unknown[] = []
      const onError: NonNullable<Options>['onError'] = (error) => {
        kinds.push([
          error.kind,
          'status' in error ? [error.model, error.status, error.detail] : structuredClone(error.event),
        ])
      }
      return withFallbacks(context, { ...settings, options: { onError } }, async (client) => {
        const events: unknown[] = []
        const params = { ...hello, model: 'first', ...settings.params, stream: true } as Params & { stream: true }
        for await (const event of await client.beta.messages.create(params)) events.push(structuredClone(event))
        return [events, kinds]
      })
    },
  }
}

/** A client of the scenario's own package with the middleware of that package. */
function withFallbacks<Result>(
  { Anthropic, stage }: Context,
  { fallbacks = chain, options }: Settings,
  run: (client: Context['client'], State: typeof OfficialState) => Result,
): Result {
  const isOfficial = 'skills' in new Anthropic({ apiKey: 'x' })
  const make = isOfficial ? officialMiddleware : (betaRefusalFallbackMiddleware as unknown as typeof officialMiddleware)
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: stage.url,
    logLevel: 'off',
    maxRetries: 0,
    middleware: [make(fallbacks, options)],
  })
  return run(client, isOfficial ? OfficialState : BetaFallbackState)
}
