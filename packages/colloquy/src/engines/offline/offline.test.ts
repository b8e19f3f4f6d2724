import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import { APIUserAbortError, BadRequestError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import { checkJson } from '../../protocol/json/json-schema.ts'
import type { Message, TextBlock, ToolUseBlock } from '../../protocol/types/message.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import type { Tool } from '../../protocol/types/tool.ts'
import type { Clock } from '../clock.ts'
import { countTokens } from '../prompt/tokens.ts'
import { offline } from './offline.ts'

const engine = offline()

async function ask(params: Partial<MessageCreateParams> & { question?: string }, from = engine): Promise<Message> {
  const { question = 'Hello', ...rest } = params
  return accumulate(
    from({ model: 'claude-sonnet-4-6', max_tokens: 1_000, messages: [{ role: 'user', content: question }], ...rest }),
  )
}

function textOf({ content }: Message): string {
  return content
    .filter((block): block is TextBlock => block.type === 'text')
    .map(({ text }) => text)
    .join('')
}

function callsOf({ content }: Message): ToolUseBlock[] {
  return content.filter((block): block is ToolUseBlock => block.type === 'tool_use')
}

/** Says one thing after the other and returns the last answer. */
async function talk(...questions: string[]): Promise<string> {
  const messages: MessageParam[] = []
  let answer = ''
  for (const content of questions) {
    messages.push({ role: 'user', content })
    answer = textOf(await ask({ messages }))
    messages.push({ role: 'assistant', content: answer })
  }
  return answer
}

suite('offline() reads the history', () => {
  test('says first that it is not a model', async () => {
    assert.match(await talk('Hello'), /^I am Colloquy's offline engine: a small program .* not a language model\./)
    assert.match(await talk('Where is the best ramen?'), /^I am Colloquy's offline engine/)
    assert.match(await talk('Hello', 'Are you a real AI?'), /not a language model/)
  })

  test('tells what it read, and how to get a real model, when no rule answers', async () => {
    const first = await talk('I want to plan a trip to Japan.')
    assert.match(first, /I have no rule for this message\.[^]+I read 1 message of yours\.[^]+`models get smollm2`/)
    assert.doesNotMatch(first, /Japan|trip/)
    const note = {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'The sea is blue.' },
    } as const
    const later = await ask({
      system: 'You plan trips.',
      messages: [
        { role: 'user', content: [note, { type: 'text', text: 'What is this?' }] },
        { role: 'assistant', content: 'A text.' },
        { role: 'user', content: 'Which way to the harbour?' },
      ],
    })
    assert.match(
      textOf(later),
      /I read 2 messages of yours, 1 reply of mine, a system prompt of 3 words and 1 file\.\n\nFor a real model/,
    )
  })

  test('writes a sample text of the wanted length', async () => {
    const words = (await talk('Write 100 words about the sea')).split(/\s+/).length
    assert.ok(words >= 100 && words < 150, `${words}`)
  })

  test('remembers facts from the user', async () => {
    assert.equal(await talk('My name is Ada.', 'What is my name?'), 'Your name is Ada.')
    assert.equal(await talk("Hi, I'm Grace Hopper.", "What's my name again?"), 'Your name is Grace Hopper.')
    assert.equal(
      await talk('my favourite colour is blue', 'my favourite colour is red', 'What is my favourite colour?'),
      'Your favourite colour is red.',
    )
    assert.equal(
      await talk('I love history and food.', 'What do I love?'),
      'You told me that you love history and food.',
    )
    assert.equal(await talk('What is my name?'), 'You have not told me your name.')
  })

  test('quotes earlier messages', async () => {
    assert.equal(
      await talk('Good day', 'And now?', 'What did I say first?'),
      'The first thing you said was: “Good day”',
    )
    assert.match(await talk('Say apple', 'What did you say last?'), /“apple”/)
    assert.match(await talk('One', 'Two', 'How many messages did I send?'), /You sent 3 messages .* I answered 2 times/)
    assert.match(
      await talk('I plan a trip.', 'To Japan.', 'Please recap our conversation'),
      /1\. “I plan a trip\.”\n2\. “To Japan\.”/,
    )
  })

  test('calculates, also from its last result', async () => {
    assert.equal(await talk('What is 12 * (3 + 4)?'), '12 * (3 + 4) = 84')
    assert.equal(await talk('What is 6 times 7?'), '6 * 7 = 42')
    assert.match(await talk('2 + 3', 'and times 4?'), /= 20$/)
    assert.match(await talk('0.1 + 0.2'), /= 0\.3$/)
  })

  test('answers with Markdown if asked for a list, table or code', async () => {
    assert.match(await talk('Show me some code'), /```typescript\n[^]+\n```/)
    assert.match(await talk('Give me a list of 4 things'), /1\. .+\n2\. .+\n3\. .+\n4\. .+$/)
    assert.match(await talk('Make a table'), /\|--:\|---\|--:\|/)
  })

  test('gives the same reply to the same request', async () => {
    const params = { question: 'Write a story about Lisbon' }
    assert.equal(textOf(await ask(params)), textOf(await ask(params)))
  })

  test('ignores the reminders that agents put into messages', async () => {
    const answer = await talk('<system-reminder>my name is Bot</system-reminder>My name is Ada.', 'What is my name?')
    assert.equal(answer, 'Your name is Ada.')
  })
})

test('offline() answers for a retired model, and names its successor in the first reply', async () => {
  const question = { role: 'user' as const, content: 'What is 2 + 2?' }
  const first = await ask({ model: 'claude-3-opus-20240229', messages: [question] })
  const note = /^Note: claude-3-opus-20240229 was retired on 2026-01-05\. Use claude-opus-[\w-]+ instead\.\n\n/
  assert.match(textOf(first), note)
  assert.match(textOf(first), /2 \+ 2 = 4$/)
  const messages = [question, { role: 'assistant' as const, content: textOf(first) }, question]
  assert.equal(textOf(await ask({ model: 'claude-3-opus-20240229', messages })), '2 + 2 = 4')
})

suite('offline() obeys the limits', () => {
  test('cuts the text at max_tokens, with an exact count', async () => {
    const message = await ask({ question: 'Count to 50', max_tokens: 20 })
    assert.equal(message.stop_reason, 'max_tokens')
    assert.equal(message.usage.output_tokens, 20)
    assert.ok(countTokens(textOf(message)) <= 20)
    assert.match(textOf(message), /^1, 2, 3/)
  })

  test('the reply is a prefix of the full one for any max_tokens', async () => {
    const whole = textOf(await ask({ question: 'Say 漢字 and 😀 and words, and then 漢字 again' }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (max_tokens) => {
        const message = await ask({ question: 'Say 漢字 and 😀 and words, and then 漢字 again', max_tokens })
        const text = textOf(message)
        assert.ok(whole.startsWith(text) && text.isWellFormed())
        assert.equal(message.stop_reason, text === whole ? 'end_turn' : 'max_tokens')
        assert.ok(message.usage.output_tokens <= max_tokens)
      }),
      { numRuns: 60 },
    )
  })

  test('only warms the cache with max_tokens 0', async () => {
    const message = await ask({ max_tokens: 0 })
    assert.deepEqual([message.content, message.stop_reason, message.usage.output_tokens], [[], 'max_tokens', 0])
  })

  test('ends the text before the first stop sequence', async () => {
    const message = await ask({ question: 'Count to 50', stop_sequences: ['9', '5, 6'] })
    assert.equal(textOf(message), '1, 2, 3, 4, ')
    assert.equal(message.stop_reason, 'stop_sequence')
    assert.equal(message.stop_sequence, '5, 6')
  })

  test('continues a prefilled reply without repeating it', async () => {
    const whole = textOf(await ask({ question: 'Count to 9', model: 'claude-sonnet-4-5' }))
    const messages: MessageParam[] = [
      { role: 'user', content: 'Count to 9' },
      { role: 'assistant', content: whole.slice(0, 10) },
    ]
    const rest = textOf(await ask({ messages, model: 'claude-sonnet-4-5' }))
    assert.equal(whole.slice(0, 10) + rest, whole)
  })

  test('continues after max_tokens if asked to', async () => {
    const whole = await talk('Count to 30')
    const cut = textOf(await ask({ question: 'Count to 30', max_tokens: 9 }))
    const rest = await ask({
      messages: [
        { role: 'user', content: 'Count to 30' },
        { role: 'assistant', content: cut },
        { role: 'user', content: 'Please continue.' },
      ],
    })
    assert.equal(cut + textOf(rest), whole)
  })

  test('continues an interrupted reply past the note that it was interrupted', async () => {
    const note = { type: 'text' as const, text: '(Your previous message was interrupted and is incomplete.)' }
    const rest = await ask({
      messages: [
        { role: 'user', content: 'Count to 30' },
        { role: 'assistant', content: '1, 2, 3, 4' },
        { role: 'user', content: [note, { type: 'text', text: 'go on' }] },
      ],
    })
    assert.match(textOf(rest), /^, 5, 6, .* 30\b/)
  })

  test('refuses a prompt beyond the window with the error of the API', async () => {
    const content = 'word '.repeat(210_000)
    await assert.rejects(
      ask({ model: 'claude-haiku-4-5', messages: [{ role: 'user', content }] }),
      (error) =>
        error instanceof BadRequestError &&
        /^prompt is too long: 2\d{5} tokens > 200000 maximum$/.test(error.apiMessage ?? ''),
    )
  })

  test('quotes the system prompt, and follows some instructions', async () => {
    assert.match(textOf(await ask({ system: 'You plan trips.', question: 'Who are you?' })), /“You plan trips\.”/)
    assert.equal(textOf(await ask({ system: 'Answer in upper case.', question: 'Say hello' })), 'HELLO')
    assert.equal(textOf(await ask({ system: 'End every reply with "Over."', question: 'Say roger' })), 'roger Over.')
  })
})

const weather: Tool = {
  name: 'get_weather',
  description: 'Tells the temperature of a city.',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
    required: ['city', 'unit'],
  },
}
const clockTool: Tool = { name: 'clock', description: 'Says what o’clock it is.', input_schema: { type: 'object' } }

suite('offline() uses tools', () => {
  test('calls a tool that the message names, with an input that satisfies its schema', async () => {
    for (const question of ['How is the weather in Paris?', 'What temperature has Paris? I am in Paris']) {
      const message = await ask({ question, tools: [clockTool, weather] })
      assert.equal(message.stop_reason, 'tool_use')
      const [call] = callsOf(message)
      assert.equal(call!.name, 'get_weather')
      assert.deepEqual(call!.input, { city: 'Paris', unit: 'celsius' })
      assert.deepEqual(checkJson(weather.input_schema, call!.input), [])
    }
  })

  test('calls no tool that the message does not name or tool_choice forbids', async () => {
    assert.equal((await ask({ question: 'Good morning', tools: [weather] })).stop_reason, 'end_turn')
    const forbidden = await ask({ question: 'weather', tools: [weather], tool_choice: { type: 'none' } })
    assert.deepEqual(callsOf(forbidden), [])
  })

  test('obeys tool_choice and disable_parallel_tool_use', async () => {
    const any = await ask({ question: 'Good morning', tools: [clockTool, weather], tool_choice: { type: 'any' } })
    assert.deepEqual(
      callsOf(any).map(({ name }) => name),
      ['clock'],
    )
    const named = await ask({
      question: 'Hi',
      tools: [clockTool, weather],
      tool_choice: { type: 'tool', name: 'get_weather' },
    })
    assert.deepEqual(
      callsOf(named).map(({ name }) => name),
      ['get_weather'],
    )
    assert.deepEqual(textOf(named), '')
    const both = { question: 'The weather and the clock in Rome', tools: [clockTool, weather] }
    assert.equal(callsOf(await ask(both)).length, 2)
    const single = await ask({ ...both, tool_choice: { type: 'auto', disable_parallel_tool_use: true } })
    assert.equal(callsOf(single).length, 1)
  })

  test('reports the results of its calls', async () => {
    const question: MessageParam = { role: 'user', content: 'The weather and the clock in Rome' }
    const called = await ask({ messages: [question], tools: [weather, clockTool] })
    const results = callsOf(called).map(({ id }, index) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: `result ${index}`,
      is_error: index === 1,
    }))
    const answer = await ask({
      messages: [question, { role: 'assistant', content: called.content }, { role: 'user', content: results }],
      tools: [weather, clockTool],
    })
    assert.equal(answer.stop_reason, 'end_turn')
    assert.match(textOf(answer), /`get_weather` answered: result 0\n- `clock` failed: result 1/)
  })

  test('does not close a tool input that max_tokens cuts off', async () => {
    const events: MessageStreamEvent[] = []
    const params: MessageCreateParams = {
      model: 'claude-sonnet-4-6',
      max_tokens: 3,
      messages: [{ role: 'user', content: 'Rome' }],
      tools: [weather],
      tool_choice: { type: 'tool', name: 'get_weather' },
    }
    for await (const event of engine(params)) events.push(event as MessageStreamEvent)
    assert.ok(!events.some(({ type }) => type === 'content_block_stop'))
    const delta = events.find((event) => event.type === 'message_delta')
    assert.equal(delta?.delta.stop_reason, 'max_tokens')
  })
})

test('offline() writes JSON that satisfies output_config.format', async () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['name', 'age', 'tags'],
    additionalProperties: false,
  }
  const message = await ask({
    question: 'The name is Ada, who is 36.',
    output_config: { format: { type: 'json_schema', schema } },
  })
  const value: unknown = JSON.parse(textOf(message))
  assert.deepEqual(checkJson(schema, value), [])
  assert.deepEqual({ ...(value as object), tags: [] }, { name: 'Ada', age: 36, tags: [] })
})

test('offline() thinks if requested, and shows it as `display` says', async () => {
  const shown = await ask({ thinking: { type: 'enabled', budget_tokens: 1024 } })
  assert.ok((shown.usage.output_tokens_details?.thinking_tokens ?? 0) > 0)
  const [thought] = shown.content
  assert.ok(thought?.type === 'thinking' && thought.thinking !== '' && thought.signature !== '')
  const hidden = await ask({ model: 'claude-opus-5-5', thinking: { type: 'adaptive' } })
  const [unseen] = hidden.content
  assert.ok(unseen?.type === 'thinking' && unseen.thinking === '' && unseen.signature !== '')
  assert.equal((await ask({})).content[0]!.type, 'text')
})

test('offline() describes images and documents by their bytes', async () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAC0lEQVR4nGNgQAYAAA4AAaeJwIgAAAAASUVORK5CYII='
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } } as const
  assert.match(
    textOf(await ask({ messages: [{ role: 'user', content: [image] }] })),
    /an image, image\/png, \d+ bytes, 2 × 3 pixels/,
  )
  const note = {
    type: 'document',
    title: 'Notes',
    source: { type: 'text', media_type: 'text/plain', data: 'The sea is blue.' },
  } as const
  const both = await ask({
    messages: [{ role: 'user', content: [image, note, { type: 'text', text: 'What is this?' }] }],
  })
  assert.match(
    textOf(both),
    /- an image[^]*- a plain text document “Notes” of 16 characters, which begins “The sea is blue\.”/,
  )
})

suite('offline() counts tokens and cache', () => {
  const long = 'A fact about the harbour. '.repeat(800)
  const cached = (question: string): Partial<MessageCreateParams> => ({
    system: [{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: question }],
  })

  test('writes a marked prefix first and then reads it; the three counts add up to the prompt', async () => {
    const fresh = offline()
    const first = (await ask(cached('One'), fresh)).usage
    const second = (await ask(cached('Two'), fresh)).usage
    const { input_tokens: prompt } = await fresh.countTokens!({
      model: 'claude-sonnet-4-6',
      ...cached('Two'),
    } as MessageCreateParams)
    assert.ok(first.cache_creation_input_tokens! > 1_024)
    assert.equal(first.cache_creation!.ephemeral_5m_input_tokens, first.cache_creation_input_tokens)
    assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens)
    assert.equal(second.input_tokens + second.cache_read_input_tokens! + second.cache_creation_input_tokens!, prompt)
  })

  test('expires an entry after five minutes of the injected clock', async () => {
    let now = 0
    const clock: Clock = { now: () => now, wait: async () => {} }
    const fresh = offline({ clock })
    await ask(cached('One'), fresh)
    now = 301_000
    assert.equal((await ask(cached('Two'), fresh)).usage.cache_read_input_tokens, 0)
  })

  test('misses after another model, a changed tool or a changed system prompt', async () => {
    const fresh = offline()
    await ask(cached('One'), fresh)
    const read = async (change: Partial<MessageCreateParams>): Promise<unknown> =>
      (await ask({ ...cached('One'), ...change }, fresh)).usage.cache_read_input_tokens
    assert.equal(await read({ model: 'claude-opus-4-7' }), 0)
    assert.equal(await read({ tools: [weather] }), 0)
    assert.notEqual(await read({ max_tokens: 5, metadata: { user_id: 'u' } }), 0)
  })

  test('top-level cache_control marks the last block, so each turn reads the previous one', async () => {
    const fresh = offline()
    const messages: MessageParam[] = [{ role: 'user', content: long }]
    const first = await ask({ messages, cache_control: { type: 'ephemeral' } }, fresh)
    messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: 'And now?' })
    const second = await ask({ messages, cache_control: { type: 'ephemeral' } }, fresh)
    assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens)
    assert.equal(second.usage.input_tokens, 0)
  })

  test('accepts models outside the catalogue by option', async () => {
    const own = { ...findModel('claude-opus-4-6')!, id: 'own', aliases: ['mine'], contextTokens: 50 }
    const engine = offline({ models: [own] })
    assert.equal((await ask({ model: 'mine' }, engine)).model, 'own')
    await assert.rejects(ask({ model: 'mine', question: 'word '.repeat(60) }, engine), BadRequestError)
  })

  test('replies with the dated id for an alias', async () => {
    assert.equal((await ask({ model: 'claude-haiku-4-5' })).model, 'claude-haiku-4-5-20251001')
    assert.equal((await ask({ model: 'some-other-model' })).model, 'some-other-model')
  })
})

test('offline() writes wordsPerSecond, and stops at once when aborted', async () => {
  const waits: number[] = []
  const controller = new AbortController()
  const clock: Clock = {
    now: () => 0,
    wait: async (ms) => {
      waits.push(ms)
      if (waits.length === 3) controller.abort()
    },
  }
  const events = offline({ wordsPerSecond: 20, clock })(
    { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Count to 20' }] },
    { signal: controller.signal },
  )
  await assert.rejects(accumulate(events), APIUserAbortError)
  assert.deepEqual(waits, [50, 50, 50])
})
