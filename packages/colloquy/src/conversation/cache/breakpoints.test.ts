import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonOf } from '../../protocol/codec/attached-json.ts'
import type { RequestSettings } from '../../protocol/models/longest-calls.ts'
import type { ContentBlockParam, MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { lazyMessage } from '../history/exact/lazy-message.ts'
import type { CacheTtl } from './cache-policy.ts'
import { breakpointPlaces, hasOwnBreakpoints, withBreakpoint, withSharedBreakpoint } from './breakpoints.ts'

const five = { type: 'ephemeral' } as const
const hour = { type: 'ephemeral', ttl: '1h' } as const

function request(...messages: MessageParam[]): MessageCreateParams {
  return { model: 'claude-sonnet-5', max_tokens: 1, messages }
}

function place(
  { messages, ...settings }: MessageCreateParams,
  minTokens: number,
): { settings: RequestSettings; places: number[] } {
  return { settings: withSharedBreakpoint(settings, minTokens), places: breakpointPlaces(messages) }
}

function user(...content: ContentBlockParam[]): MessageParam {
  return { role: 'user', content }
}

const text = (word: string): ContentBlockParam => ({ type: 'text', text: word })
const minTokens = 1000

test('the last user message has a cache breakpoint', () => {
  const { places } = place(request({ role: 'user', content: 'Hello' }), minTokens)
  assert.deepEqual(places, [0])
  const later = place(request(user(text('a')), { role: 'assistant', content: 'b' }, user(text('c'))), minTokens)
  assert.deepEqual(later.places, [2])
})

test('system and tools have a breakpoint for an hour if long enough to be cached', () => {
  const long = 'word '.repeat(1000)
  const { settings } = place({ ...request(), system: long }, minTokens)
  assert.deepEqual(settings.system, [{ type: 'text', text: long, cache_control: hour }])
  const short = place({ ...request(), system: 'Be brief.' }, minTokens)
  assert.equal(short.settings.system, 'Be brief.')
  const tool = { name: 'a', description: long, input_schema: { type: 'object' } } as const
  const tools = place(
    { ...request(), tools: [tool, { ...tool, name: 'b' }, { ...tool, name: 'c', defer_loading: true }] },
    minTokens,
  )
  assert.deepEqual(
    tools.settings.tools?.map(({ cache_control }) => cache_control),
    [undefined, hour, undefined],
  )
})

test('the end of the last request has a breakpoint if it would not be found', () => {
  const reply: MessageParam = { role: 'assistant', content: 'Hm.' }
  const images = Array.from({ length: 19 }, (_, index) => text(`picture ${index}`))
  const far = place(request(user(text('a')), reply, user(...images)), minTokens)
  assert.deepEqual(new Set(far.places), new Set([0, 2]))
  const near = place(request(user(text('a')), reply, user(...images.slice(1))), minTokens)
  assert.deepEqual(near.places, [2])
})

test('a step with many tool calls has a second breakpoint, for platforms that count each call', () => {
  const calls = Array.from(
    { length: 25 },
    (_, index) => ({ type: 'tool_use', id: `t${index}`, name: 'a', input: {} }) as const,
  )
  const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'b' }) as const)
  const step = request(user(text('a')), { role: 'assistant', content: calls }, user(...results))
  assert.deepEqual(new Set(place(step, minTokens).places), new Set([0, 2]))
})

test('a breakpoint is on the last block that can carry one', () => {
  const message = user(text('a'), { type: 'text', text: ' ' })
  assert.deepEqual(
    withBreakpoint(message, '5m'),
    user({ type: 'text', text: 'a', cache_control: five }, { type: 'text', text: ' ' }),
  )
  assert.deepEqual(
    withBreakpoint({ role: 'user', content: 'a' }, '1h'),
    user({ type: 'text', text: 'a', cache_control: hour }),
  )
})

test("the user's own breakpoints are found", () => {
  const settings = { model: 'm', max_tokens: 1 }
  assert.equal(hasOwnBreakpoints(settings), false)
  assert.equal(hasOwnBreakpoints({ ...settings, cache_control: five }), true)
  assert.equal(hasOwnBreakpoints({ ...settings, system: [{ type: 'text', text: 'a', cache_control: five }] }), true)
  assert.equal(
    hasOwnBreakpoints({ ...settings, tools: [{ name: 'a', input_schema: { type: 'object' }, cache_control: five }] }),
    true,
  )
})

test('there are at most four breakpoints, an hour never after five minutes', () => {
  const block = fc.oneof(
    fc.string().map(text),
    fc.constant<ContentBlockParam>({ type: 'thinking', thinking: 'hm', signature: 's' }),
  )
  const message = fc.record({
    role: fc.constantFrom('user', 'assistant'),
    content: fc.oneof(fc.string(), fc.array(block, { minLength: 1, maxLength: 25 })),
  }) as fc.Arbitrary<MessageParam>
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 6 }),
      fc.constantFrom<CacheTtl>('5m', '1h'),
      fc.string(),
      (messages, tail, system) => {
        const { settings, places } = place({ ...request(...messages), system: system.repeat(500) }, 100)
        const sent = messages.map((each, index) => (places.includes(index) ? withBreakpoint(each, tail) : each))
        const ttls =
          JSON.stringify({ system: settings.system, sent }).match(
            /"cache_control":\{"type":"ephemeral"(,"ttl":"1h")?\}/g,
          ) ?? []
        assert.ok(ttls.length <= 4)
        const firstShort = ttls.findIndex((ttl) => !ttl.includes('1h'))
        assert.ok(firstShort < 0 || ttls.slice(firstShort).every((ttl) => !ttl.includes('1h')))
        const without = (each: MessageParam): unknown =>
          typeof each.content === 'string'
            ? [text(each.content)]
            : (each.content as { cache_control?: unknown }[]).map(({ cache_control: _, ...rest }) => rest)
        assert.deepEqual(sent.map(without), messages.map(without))
      },
    ),
  )
})

test('a message that is stored as JSON gets the same breakpoint as a parsed one', () => {
  const piece = fc.constantFrom('a', ' ', '"', '\\', '\n', '\u00a0', '🦋', '\ud83e', '","x":"', '{')
  fc.assert(
    fc.property(fc.string({ unit: piece }), fc.constantFrom<CacheTtl>('5m', '1h'), (content, ttl) => {
      const read: MessageParam = { role: 'user', content }
      const kept = lazyMessage('user', JSON.stringify(read))
      assert.deepEqual(place(request(kept), minTokens), place(request(read), minTokens))
      assert.deepEqual(withBreakpoint(kept, ttl), withBreakpoint(read, ttl))
      assert.equal(jsonOf(withBreakpoint(kept, ttl)), JSON.stringify(withBreakpoint(read, ttl)))
    }),
  )
  const more = lazyMessage('user', '{"role":"user","content":"a","more":"b"}')
  assert.deepEqual(withBreakpoint(more, '5m'), withBreakpoint({ role: 'user', content: 'a' }, '5m'))
})
