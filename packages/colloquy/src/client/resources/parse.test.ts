import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import type { Message } from '../../protocol/types/message.ts'
import { replay } from '../../protocol/codec/replay.ts'
import { jsonSchemaOutputFormat, standardSchemaOutputFormat } from '../../protocol/json/schema.ts'
import type { Anthropic } from '../client.ts'
import { type WireParams, clientOf } from '../engine-fetch.test.ts'

const params = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Plan.' }] }
const trip = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city'],
} as const

function says(text: string): { client: Anthropic; requests: WireParams[] } {
  const message: Message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text, citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
  }
  return clientOf(() =>
    (async function* () {
      yield* replay(message)
    })(),
  )
}

test('parse() sends the schema and gives the typed value with the message', async () => {
  const { client, requests } = says('{"city":"Nara","days":2}')
  const format = jsonSchemaOutputFormat(trip)
  const promise = client.messages.parse({ ...params, output_config: { format, effort: 'low' } })
  const message = await promise
  const city: string | undefined = message.parsed_output?.city
  assert.equal(city, 'Nara')
  assert.deepEqual(requests[0]!.output_config, {
    format: { type: 'json_schema', schema: { ...trip, additionalProperties: false } },
    effort: 'low',
  })
  assert.equal((message as { _request_id?: string })._request_id, 'req_1')
  const { data, request_id } = await promise.withResponse()
  assert.deepEqual([data, request_id], [message, 'req_1'])
})

test('parse() accepts a schema of a validation library', async () => {
  const format = standardSchemaOutputFormat(z.object({ city: z.string().transform((city) => city.length) }))
  const message = await says('{"city":"Nara"}').client.messages.parse({ ...params, output_config: { format } })
  const length: number | undefined = message.parsed_output?.city
  assert.equal(length, 4)
})

test('beta.messages accepts output_format, the earlier name of the format', async () => {
  const format = jsonSchemaOutputFormat(trip)
  const { client, requests } = says('{"city":"Nara"}')
  const { messages } = client.beta
  const parsed = await messages.parse({ ...params, output_format: format, output_config: { effort: 'low' } })
  const city: string | undefined = parsed.parsed_output?.city
  assert.equal(city, 'Nara')
  assert.equal((await messages.stream({ ...params, output_format: format }).finalMessage()).parsed_output?.city, 'Nara')
  assert.equal((await messages.thread({ ...params, output_format: format }).parse()).parsed_output?.city, 'Nara')
  await messages.create({ ...params, output_format: format })
  await messages.toolRunner({ ...params, output_format: format })
  for (const [index, request] of requests.entries()) {
    const { output_format, output_config }: WireParams & { output_format?: unknown } = request
    assert.equal(output_format, undefined)
    assert.deepEqual(output_config, {
      ...(index === 0 && { effort: 'low' }),
      format: JSON.parse(JSON.stringify(format)),
    })
  }
  assert.equal(requests.length, 5)
  assert.throws(() => messages.parse({ ...params, output_format: format, output_config: { format } }), {
    message: 'Cannot use both output_config.format and output_format',
  })
})

test('parse() gives null without a format and rejects text that does not match', async () => {
  const message = await says('Hello.').client.messages.parse(params)
  assert.equal(message.parsed_output, null)
  const format = jsonSchemaOutputFormat(trip)
  for (const [text, expected] of [
    ['{"city":"Na', /^AnthropicError: Failed to parse structured output as JSON: /],
    [
      '{"days":2}',
      /^AnthropicError: Cannot parse the structured output: Schema validation failed with 1 issue\(s\):\n {2}- city: is required and missing$/,
    ],
  ] as const)
    await assert.rejects(says(text).client.messages.parse({ ...params, output_config: { format } }), expected)
})

test('stream() gives the parsed value with the final message', async () => {
  const format = jsonSchemaOutputFormat(trip)
  const stream = says('{"city":"Nara"}').client.messages.stream({ ...params, output_config: { format } })
  const types = (await Array.fromAsync(stream)).map(({ type }) => type)
  assert.equal(types.at(-1), 'message_stop')
  const message = await stream.finalMessage()
  const city: string | undefined = message.parsed_output?.city
  assert.equal(city, 'Nara')
  assert.equal((message as { _request_id?: string })._request_id, 'req_stream')
})

test('stream() fails at its end when the text does not match the format', async () => {
  const format = jsonSchemaOutputFormat(trip)
  const stream = says('{"days":2}').client.messages.stream({ ...params, output_config: { format } })
  let events = 0
  await assert.rejects(async () => {
    for await (const event of stream) events += event ? 1 : 0
  }, /city: is required and missing/)
  assert.ok(events > 4)
})
