import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accumulate } from '../protocol/codec/accumulate.ts'
import { APIError, APIUserAbortError, OverloadedError, RateLimitError } from '../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { Message, ToolUseBlock } from '../protocol/types/message.ts'
import type { MessageCreateParams } from '../protocol/types/params.ts'
import type { Clock } from './clock.ts'
import { offline } from './offline/offline.ts'
import { script, type ScriptEngine } from './script.ts'
import { WireFault } from './wire-fault.ts'

function request(content: string): MessageCreateParams {
  return { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content }] }
}

function textOf({ content: [first] }: Message): string {
  return first?.type === 'text' ? first.text : ''
}

test('script() plays its steps in order and records the requests', async () => {
  const engine = script(['One.', { content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } }] }])
  const params = request('first')
  assert.equal(textOf(await accumulate(engine(params))), 'One.')
  params.messages.push({ role: 'assistant', content: 'later' })
  const second = await accumulate(engine(request('second')))
  assert.equal(second.stop_reason, 'tool_use')
  assert.deepEqual(second.content[0], { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } })
  assert.deepEqual(
    engine.requests.map(({ params: { messages } }) => messages),
    [[{ role: 'user', content: 'first' }], [{ role: 'user', content: 'second' }]],
  )
  assert.equal(engine.remaining, 0)
})

test('script() throws for steps and options that would not do what they say', () => {
  const wrong: [step: unknown, message: string][] = [
    [{ text: 'oops' }, 'it has no content and no field of a step: found text'],
    [{ reply: 'a', dealyMs: 5 }, 'Cannot use the option dealyMs of step 1 of script(): did you mean delayMs?'],
    [{ error: 'overloaded_error' }, 'error is an object with a type: found "overloaded_error"'],
    [{ error: { type: 'overloaded' } }, 'found the error type overloaded, did you mean overloaded_error?'],
    [{ error: { type: 'rate_limt_error' } }, 'found the error type rate_limt_error, did you mean rate_limit_error?'],
    [{ reply: { content: [{ text: 'a' }] } }, 'a block is an object with a type: found {"text":"a"}'],
    [[{ data: 1 }], 'an event is an object with a type: found {"data":1}'],
    [5, 'a reply is a text, a message or a list of events: found 5'],
  ]
  for (const [step, message] of wrong) {
    const full = message.startsWith('Cannot') ? message : `Cannot use step 1 of script(): ${message}`
    assert.throws(() => script([step as never]), { name: 'AnthropicError', message: full })
  }
  assert.throws(() => script([], { otherwize: offline() } as never), /did you mean otherwise\?/)
  assert.equal(script([{ error: { type: 'error_of_tomorrow' } }]).remaining, 1)
})

test('script() fills in the id and input of a tool call', async () => {
  const { content } = await accumulate(script([{ content: [{ type: 'tool_use', name: 'x' } as never] }])(request('a')))
  const call = content[0] as ToolUseBlock
  assert.match(call.id, /^toolu_/)
  assert.deepEqual(call.input, {})
})

test('script() plays a step with `when` only for a matching request', async () => {
  const asks = (word: string) => (params: MessageCreateParams) => JSON.stringify(params.messages).includes(word)
  const engine = script([{ when: asks('rain'), reply: 'Wet.', times: 2 }, 'Whatever.'])
  const answers: string[] = []
  for (const question of ['sun', 'rain', 'rain']) answers.push(textOf(await accumulate(engine(request(question)))))
  assert.deepEqual(answers, ['Whatever.', 'Wet.', 'Wet.'])
})

test('script() throws an error that is not retried when no step answers, unless `otherwise` does', async () => {
  const refused = (engine: ScriptEngine, apiMessage: string): Promise<void> =>
    assert.rejects(accumulate(engine(request('x'))), (error: APIError) => {
      assert.deepEqual([error.status, error.apiMessage], [500, apiMessage])
      return error.headers?.get('x-should-retry') === 'false'
    })
  await refused(script([]), 'Cannot answer request 1: no step of the script is left')
  const waiting = script([{ when: () => false, reply: 'Never.' }])
  await refused(waiting, 'Cannot answer request 1: none of the steps left (1) is for it')
  const engine = script(['Once.'], { otherwise: offline() })
  await accumulate(engine(request('Count to 3')))
  assert.equal(textOf(await accumulate(engine(request('Count to 3')))), '1, 2, 3.')
})

test('script() plays events unchanged', async () => {
  const events: MessageStreamEvent[] = []
  for await (const event of script(['Hi.'])(request('x'))) events.push(event as MessageStreamEvent)
  const played: Array<MessageStreamEvent | PingEvent> = []
  const given = [events[0]!, { type: 'ping' } as const, ...events.slice(1)]
  for await (const event of script([given])(request('x'))) played.push(event)
  assert.deepEqual(played, given)
})

test('script() throws the scripted error before the first event, with status and headers', async () => {
  const engine = script([
    { error: { type: 'rate_limit_error', headers: { 'retry-after': '7' } } },
    { error: { type: 'overloaded_error' } },
    { error: { type: 'api_error', status: 503, message: 'Away.' } },
  ])
  await assert.rejects(
    accumulate(engine(request('x'))),
    (error) => error instanceof RateLimitError && error.headers?.get('retry-after') === '7',
  )
  await assert.rejects(accumulate(engine(request('x'))), OverloadedError)
  await assert.rejects(
    accumulate(engine(request('x'))),
    (error) => error instanceof APIError && error.status === 503 && error.apiMessage === 'Away.',
  )
})

test('script() throws after the given number of events', async () => {
  for (const [step, errorClass] of [
    [{ error: { type: 'overloaded_error' } }, OverloadedError],
    [{ cut: 'reset' }, WireFault],
    [{ bytes: 'data: {broken' }, WireFault],
  ] as const) {
    const seen: string[] = []
    const play = async (): Promise<void> => {
      for await (const { type } of script([{ reply: 'Hello there.', after: 3, ...step }])(request('x'))) seen.push(type)
    }
    await assert.rejects(play(), errorClass)
    assert.deepEqual(seen, ['message_start', 'content_block_start', 'content_block_delta'])
  }
})

test('script() stalls until the caller aborts', async () => {
  const controller = new AbortController()
  const events = script([{ reply: 'Hello.', after: 1, stall: true }])(request('x'), { signal: controller.signal })
  const iterator = events[Symbol.asyncIterator]()
  await iterator.next()
  const stalled = iterator.next()
  controller.abort()
  await assert.rejects(stalled, APIUserAbortError)
})

test('script() waits before the first event and between events', async () => {
  const waits: number[] = []
  const clock: Clock = { now: () => 0, wait: async (ms) => void waits.push(ms) }
  await accumulate(script([{ reply: 'Hi', delayMs: 500, eventDelayMs: 20 }], { clock })(request('x')))
  assert.deepEqual(waits, [500, 20, 20, 20, 20, 20])
})
