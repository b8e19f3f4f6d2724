import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { APIError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { chatCompletions } from './chat-completions.ts'
import type { ChatCompletionsOptions } from './options.ts'
import { ThinkTags } from '../reply/think-tags.ts'

const question: MessageCreateParams = {
  model: 'm',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
}
const weather = { name: 'weather', description: 'Weather', input_schema: { type: 'object' as const } }
const askTools: MessageCreateParams = { ...question, tools: [weather] }

interface Sent {
  url: string
  headers: Record<string, string>
  body: Record<string, unknown>
}

/** An engine before a server that answers each request with the same bytes, in pieces. */
function server(answer: () => Response, options: Partial<ChatCompletionsOptions> = {}) {
  const sent: Sent[] = []
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (!url.endsWith('/chat/completions')) return new Response('', { status: 404 })
    const headers = init.headers as Record<string, string>
    sent.push({ url, headers, body: JSON.parse(init.body as string) as Record<string, unknown> })
    return answer()
  }
  return { engine: chatCompletions({ baseURL: 'http://127.0.0.1:8080/v1', ...options, fetch }), sent }
}

function sse(...chunks: (object | string)[]): () => Response {
  const text = chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('')
  return () => new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

const delta = (fields: object, more: object = {}): object => ({
  model: 'served',
  choices: [{ index: 0, delta: fields, ...more }],
})
const finish = (reason: string): object => delta({}, { finish_reason: reason })
const usage = (fields: object): object => ({ choices: [], usage: fields })
const call = (index: number, name: string | undefined, args: string | undefined, id?: string): object =>
  delta({ tool_calls: [{ index, ...(id && { id }), type: 'function', function: { name, arguments: args } }] })

async function replyTo(params: MessageCreateParams, chunks: (object | string)[]): Promise<Message> {
  return accumulate(server(sse(...chunks)).engine(params))
}

/** The bytes in pieces of these sizes, which repeat. */
function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    yield bytes.slice(at, at + size)
    at += size
  }
}

function shapes({ content }: Message): string[] {
  return content.map((block) => {
    if (block.type === 'text') return `text:${block.text}`
    if (block.type === 'thinking') return `thinking:${block.thinking}`
    return block.type === 'tool_use' ? `${block.name}:${JSON.stringify(block.input)}` : block.type
  })
}

describe('a prompt is counted before the first event', () => {
  const reply = sse(delta({ content: 'Hi' }), finish('stop'), '[DONE]')
  /** An engine before a server that has these paths besides its replies. */
  function counting(paths: Record<string, () => Response | Promise<Response>>, baseURL = 'http://127.0.0.1:8080/v1') {
    const asked: string[] = []
    const fetch = async (url: string): Promise<Response> => {
      const path = new URL(url).pathname
      asked.push(path)
      if (path.endsWith('/chat/completions')) return reply()
      return paths[path]?.() ?? new Response('', { status: 404 })
    }
    return { engine: chatCompletions({ baseURL, fetch }), asked }
  }
  const countIn = async (engine: ReturnType<typeof chatCompletions>): Promise<number> => {
    const [start] = await Array.fromAsync(engine(question))
    return start?.type === 'message_start' ? start.message.usage.input_tokens : 0
  }
  const json = (value: unknown) => () => Response.json(value)

  const ways: [name: string, paths: Record<string, () => Response>][] = [
    ['llama.cpp', { '/v1/chat/completions/input_tokens': json({ input_tokens: 321 }) }],
    ['vLLM', { '/tokenize': json({ count: 321, max_model_len: 4096, tokens: [] }) }],
    [
      'an older llama.cpp',
      {
        '/apply-template': json({ prompt: '<s>Hi' }),
        '/tokenize': json({ tokens: Array.from({ length: 321 }, () => 1) }),
      },
    ],
  ]
  for (const [name, paths] of ways) {
    test(`exactly by ${name}, also for countTokens()`, async () => {
      const { engine, asked } = counting(paths)
      assert.equal(await countIn(engine), 321)
      asked.length = 0
      assert.deepEqual(await engine.countTokens!(question), { input_tokens: 321 })
      assert.deepEqual(asked, Object.keys(paths))
    })
  }

  test('by an estimate if the server has no such path, which is found out once', async () => {
    for (const paths of [{}, { '/tokenize': json({ error: 'Unexpected endpoint' }) }]) {
      const { engine, asked } = counting(paths)
      const estimate = await countIn(engine)
      assert.ok(estimate > 0 && estimate < 321)
      asked.length = 0
      await countIn(engine)
      assert.deepEqual(asked, ['/v1/chat/completions'])
    }
  })

  test('by an estimate if the count fails, and exactly the next time', async () => {
    let failures = 1
    const path = '/v1/chat/completions/input_tokens'
    const answer = (): Response =>
      failures-- > 0 ? new Response('', { status: 500 }) : Response.json({ input_tokens: 321 })
    const { engine } = counting({ [path]: answer })
    assert.notEqual(await countIn(engine), 321)
    assert.equal(await countIn(engine), 321)
  })

  test('by an estimate at services that have no such path', async () => {
    const { engine, asked } = counting({}, 'https://openrouter.ai/api/v1')
    await countIn(engine)
    assert.deepEqual(asked, ['/api/v1/chat/completions'])
  })
})

describe('replies as servers stream them', () => {
  const cases: [
    name: string,
    params: MessageCreateParams,
    chunks: (object | string)[],
    shapes: string[],
    stop: string,
    usage: object,
  ][] = [
    [
      'llama.cpp: role first, usage behind the finish, timings',
      question,
      [
        delta({ role: 'assistant', content: null }),
        delta({ content: 'Hel' }),
        delta({ content: 'lo' }),
        finish('stop'),
        {
          ...usage({ prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 10 } }),
          timings: {},
        },
        '[DONE]',
      ],
      ['text:Hello'],
      'end_turn',
      { input_tokens: 2, cache_read_input_tokens: 10, output_tokens: 3 },
    ],
    [
      'OpenAI: parallel calls one after the other, the name in the first piece',
      askTools,
      [
        call(0, 'weather', '', 'call_1'),
        call(0, undefined, '{"a"'),
        call(0, undefined, ':1}'),
        call(1, 'weather', '', 'call_2'),
        call(1, undefined, '{}'),
        finish('tool_calls'),
        usage({ prompt_tokens: 9, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 2 } }),
        '[DONE]',
      ],
      ['weather:{"a":1}', 'weather:{}'],
      'tool_use',
      { input_tokens: 9, output_tokens: 5, output_tokens_details: { thinking_tokens: 2 } },
    ],
    [
      'vLLM: calls whose pieces come in turn',
      askTools,
      [
        call(0, 'weather', '{"a":'),
        call(1, 'weather', '{"b":'),
        call(0, undefined, '1}'),
        call(1, undefined, '2}'),
        finish('tool_calls'),
        '[DONE]',
      ],
      ['weather:{"a":1}', 'weather:{"b":2}'],
      'tool_use',
      {},
    ],
    [
      'SGLang: arguments before the name, `stop` for a call',
      askTools,
      [call(0, undefined, '{"a"'), call(0, 'weather', ':1}'), finish('stop'), '[DONE]'],
      ['weather:{"a":1}'],
      'tool_use',
      {},
    ],
    [
      'Ollama: a whole call in one piece, without an index, arguments as an object',
      askTools,
      [
        delta({
          content: '',
          tool_calls: [
            { id: 'call_1', function: { name: 'weather', arguments: { a: 1 } } },
            { id: 'call_2', function: { name: 'weather', arguments: {} } },
          ],
        }),
        finish('stop'),
        usage({ prompt_tokens: 3, completion_tokens: 4 }),
        '[DONE]',
      ],
      ['weather:{"a":1}', 'weather:{}'],
      'tool_use',
      { input_tokens: 3 },
    ],
    [
      'two calls under one index, told apart by their ids',
      askTools,
      [
        call(0, 'weather', '{"a":1}', 'call_1'),
        call(0, 'weather', '{"a":', 'call_2'),
        call(0, undefined, '2}', 'call_2'),
        finish('tool_calls'),
        '[DONE]',
      ],
      ['weather:{"a":1}', 'weather:{"a":2}'],
      'tool_use',
      {},
    ],
    [
      'two calls without index and id, each in a piece of its own',
      askTools,
      [
        delta({ tool_calls: [{ function: { name: 'weather', arguments: { a: 1 } } }] }),
        delta({ tool_calls: [{ function: { name: 'weather', arguments: '{}' } }] }),
        finish('stop'),
      ],
      ['weather:{"a":1}', 'weather:{}'],
      'tool_use',
      {},
    ],
    [
      'two calls without index, of which the second comes in pieces',
      askTools,
      [
        delta({ tool_calls: [{ id: 'a', function: { name: 'weather', arguments: '{"a":1}' } }] }),
        delta({ tool_calls: [{ id: 'b', function: { name: 'weather', arguments: '' } }] }),
        delta({ tool_calls: [{ function: { arguments: '{"b":' } }] }),
        delta({ tool_calls: [{ function: { arguments: '2}' } }] }),
        finish('stop'),
      ],
      ['weather:{"a":1}', 'weather:{"b":2}'],
      'tool_use',
      {},
    ],
    [
      'the name and id repeated with every piece',
      askTools,
      [
        call(0, 'weather', '{"a"', 'call_1'),
        call(0, 'weather', ':1', 'call_1'),
        call(0, 'weather', '}', 'call_1'),
        call(0, 'weather', '', 'call_1'),
        finish('tool_calls'),
      ],
      ['weather:{"a":1}'],
      'tool_use',
      {},
    ],
    [
      'both fields of thinking, of which one is empty',
      question,
      [delta({ reasoning_content: '', reasoning: 'Hm', content: null }), delta({ content: 'Yes' }), finish('stop')],
      ['thinking:Hm', 'text:Yes'],
      'end_turn',
      {},
    ],
    [
      'events without data, and no finish but [DONE]',
      question,
      ['', delta({ content: 'Yes' }), ' ', '[DONE]'],
      ['text:Yes'],
      'end_turn',
      {},
    ],
    [
      'DeepSeek: reasoning_content before the text, its own name for cached tokens',
      question,
      [
        delta({ reasoning_content: 'Hm', content: null }),
        delta({ reasoning_content: 'm', content: null }),
        delta({ content: 'Yes' }),
        finish('stop'),
        usage({ prompt_tokens: 8, completion_tokens: 4, prompt_cache_hit_tokens: 6 }),
        '[DONE]',
      ],
      ['thinking:Hmm', 'text:Yes'],
      'end_turn',
      { input_tokens: 2, cache_read_input_tokens: 6 },
    ],
    [
      'OpenRouter: comments, reasoning, usage with the last choice',
      question,
      [
        delta({ reasoning: 'Hm' }),
        delta({ content: 'Yes' }),
        { ...finish('stop'), usage: { prompt_tokens: 5, completion_tokens: 2 } },
        '[DONE]',
      ],
      ['thinking:Hm', 'text:Yes'],
      'end_turn',
      { input_tokens: 5, output_tokens: 2 },
    ],
    [
      'Groq: usage in x_groq',
      question,
      [
        delta({ content: 'Yes' }),
        { ...finish('stop'), x_groq: { usage: { prompt_tokens: 7, completion_tokens: 1 } } },
        '[DONE]',
      ],
      ['text:Yes'],
      'end_turn',
      { input_tokens: 7 },
    ],
    [
      'Mistral: content as parts, no [DONE]',
      question,
      [
        delta({ content: [{ type: 'text', text: 'Ye' }] }),
        {
          ...delta({ content: [{ type: 'text', text: 's' }] }, { finish_reason: 'stop' }),
          usage: { prompt_tokens: 7, completion_tokens: 1 },
        },
      ],
      ['text:Yes'],
      'end_turn',
      { input_tokens: 7 },
    ],
    [
      'LM Studio: <think> in the content, blank text before a call',
      askTools,
      [
        delta({ content: '\n<th' }),
        delta({ content: 'ink>\nHm</thi' }),
        delta({ content: 'nk>\n\n' }),
        delta({ content: ' \n' }),
        call(0, 'weather', '{}', 'x'),
        finish('tool_calls'),
        '[DONE]',
      ],
      ['thinking:Hm', 'weather:{}'],
      'tool_use',
      {},
    ],
    [
      'a reply that speaks of <think>',
      question,
      [delta({ content: 'The tag <think> opens it.' }), finish('stop')],
      ['text:The tag <think> opens it.'],
      'end_turn',
      {},
    ],
    [
      'a limit',
      question,
      [delta({ content: 'a' }), finish('length'), usage({ prompt_tokens: 1, completion_tokens: 100 })],
      ['text:a'],
      'max_tokens',
      {},
    ],
    [
      'a full window',
      question,
      [delta({ content: 'a' }), finish('length'), usage({ prompt_tokens: 1, completion_tokens: 9 })],
      ['text:a'],
      'model_context_window_exceeded',
      {},
    ],
    ['a refusal', question, [delta({ refusal: 'I cannot' }), finish('stop')], ['text:I cannot'], 'refusal', {}],
    ['a content filter', question, [delta({ content: 'a' }), finish('content_filter')], ['text:a'], 'refusal', {}],
    ['an empty reply', question, [delta({ role: 'assistant' }), finish('stop')], [], 'end_turn', {}],
  ]
  for (const [name, params, chunks, expected, stop, counts] of cases) {
    test(name, async () => {
      const message = await replyTo(params, chunks)
      assert.deepEqual(shapes(message), expected)
      assert.deepEqual([message.stop_reason, message.model], [stop, 'served'])
      for (const [field, value] of Object.entries(counts))
        assert.deepEqual(message.usage[field as 'input_tokens'], value, field)
    })
  }

  test('the same, wherever the bytes are cut, with comments, carriage returns and other fields between them', async () => {
    const lines = [
      ': keep-alive',
      '',
      `data: ${JSON.stringify(delta({ content: '<think>Größe 🐈' }))}`,
      '',
      'event: message',
      'id: 7',
      `data: ${JSON.stringify(delta({ content: '?</think>Ja, größer – 🐕' }))}`,
      '',
      ': keep-alive',
      `data: ${JSON.stringify(call(0, 'weather', '{"Stadt":"Zürich"}', 'x'))}`,
      '',
      `data: ${JSON.stringify(finish('tool_calls'))}`,
      '',
      `data: ${JSON.stringify(usage({ prompt_tokens: 7, completion_tokens: 1 }))}`,
      '',
      'data: [DONE]',
      '',
      '',
    ]
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('\n', '\r\n'), cuts, async (end, sizes) => {
        const bytes = new TextEncoder().encode(lines.join(end))
        const pieces = piecesOf(bytes, sizes)
        const body = new ReadableStream({
          pull(controller) {
            const { value, done } = pieces.next()
            if (done) controller.close()
            else controller.enqueue(value)
          },
        })
        const answer = (): Response => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
        const message = await accumulate(server(answer).engine(askTools))
        assert.deepEqual(shapes(message), ['thinking:Größe 🐈?', 'text:Ja, größer – 🐕', 'weather:{"Stadt":"Zürich"}'])
        assert.equal(message.usage.input_tokens, 7)
      }),
      { numRuns: 50 },
    )
  })

  test('a server that does not stream', async () => {
    const body = {
      model: 'served',
      choices: [{ message: { role: 'assistant', content: 'Yes' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 1 },
    }
    const message = await accumulate(server(() => Response.json(body)).engine(question))
    assert.deepEqual([shapes(message), message.usage.input_tokens], [['text:Yes'], 2])
  })

  test('ids of calls are new and unique', async () => {
    const message = await replyTo(askTools, [
      call(0, 'weather', '{}', 'call_0'),
      call(1, 'weather', '{}', 'call_0'),
      finish('stop'),
    ])
    const ids = message.content.map((block) => (block as { id: string }).id)
    assert.equal(new Set(ids).size, 2)
    for (const id of ids) assert.match(id, /^toolu_01\w{22}$/)
  })

  test('counts are estimated and marked if the server gives none', async () => {
    const message = await replyTo(question, [delta({ content: 'Yes' }), finish('stop')])
    assert.equal((message.usage as { estimated?: boolean }).estimated, true)
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
  })
})

describe('stop sequences', () => {
  const stopping = { ...question, stop_sequences: ['STOP', '###'] }

  test('end the reply before them, wherever the pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('one STOP two', 'a ST b ### c', 'no stop', 'STO', 'x#'),
        fc.integer({ min: 1, max: 5 }),
        async (text, size) => {
          const pieces = text.match(new RegExp(`.{1,${size}}`, 'gs'))!
          const message = await replyTo(stopping, [...pieces.map((content) => delta({ content })), finish('stop')])
          const found = /STOP|###/.exec(text)
          const expected = found ? text.slice(0, found.index) : text
          assert.deepEqual(shapes(message), expected === '' ? [] : [`text:${expected}`])
          assert.deepEqual(
            [message.stop_reason, message.stop_sequence],
            found ? ['stop_sequence', found[0]] : ['end_turn', null],
          )
        },
      ),
    )
  })

  test('are not looked for in thinking, and not sent to the server', async () => {
    const { engine, sent } = server(sse(delta({ reasoning: 'STOP' }), delta({ content: 'a' }), finish('stop')))
    const message = await accumulate(engine(stopping))
    assert.deepEqual([shapes(message), message.stop_reason], [['thinking:STOP', 'text:a'], 'end_turn'])
    assert.equal('stop' in sent[0]!.body, false)
  })
})

describe('odd replies of chatCompletions()', () => {
  for (const [name, chunks, blocks] of [
    ['chunks that are not objects', ['null', '5', '[]', delta({ content: 'a' })], ['a']],
    ['choices that are not objects', [{ choices: [null, 5] }, { choices: {} }, delta({ content: 'a' })], ['a']],
    ['content that is neither a text nor parts', [delta({ content: 5 }), delta({ content: 'a' })], ['a']],
    [
      'parts that are not texts',
      [delta({ content: [null, 'b', { type: 'text', text: 5 }, { type: 'text', text: 'a' }] })],
      ['ba'],
    ],
    ['thinking that is not a text', [delta({ reasoning: {} }), delta({ content: 'a' })], ['a']],
    ['calls that are null', [delta({ tool_calls: [null] }), delta({ content: 'a' })], ['a']],
    ['calls that are not a list', [delta({ tool_calls: {} }), delta({ content: 'a' })], ['a']],
    ['a name of the model that is not a text', [{ ...delta({ content: 'a' }), model: 7 }], ['a']],
    ['further replies', [{ choices: [{ index: 1, delta: { content: 'b' } }] }, delta({ content: 'a' })], ['a']],
    ['the call of an older server', [delta({ function_call: { name: 'f', arguments: '{"a":1}' } })], [{ a: 1 }]],
  ] as const) {
    test(`${name} do no harm`, async () => {
      const { content } = await replyTo(question, [...chunks, finish('stop')])
      assert.deepEqual(
        content.map((block) => (block.type === 'text' ? block.text : block.type === 'tool_use' && block.input)),
        blocks,
      )
    })
  }

  test('counts that are not counts are estimated, and cached tokens are part of the prompt', async () => {
    const odd = usage({ prompt_tokens: null, completion_tokens: 'x' })
    const { usage: estimated } = await replyTo(question, [delta({ content: 'a' }), odd, finish('stop')])
    assert.deepEqual([(estimated as { estimated?: boolean }).estimated, estimated.output_tokens > 0], [true, true])
    const cached = usage({ prompt_tokens: 3, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9 } })
    const { usage: counted } = await replyTo(question, [delta({ content: 'a' }), finish('stop'), cached])
    assert.deepEqual([counted.input_tokens, counted.cache_read_input_tokens], [0, 3])
  })

  for (const [name, response, message] of [
    [
      'a page',
      () => new Response('<p>', { headers: { 'content-type': 'text/html' } }),
      /answered with a page, not with a reply, at http:\/\/[^?@]+\/v1\/chat\/completions\.$/,
    ],
    ['a redirect', () => new Response('', { status: 302 }), /answered with status 302/],
    [
      'a redirect to an address',
      () => new Response('', { status: 301, headers: { location: 'https://x.test/v1?key=secret' } }),
      /answered with status 301: it redirects to https:\/\/x\.test\/v1\./,
    ],
    ['JSON that is not an object', () => Response.json([]), /sent an empty reply/],
    ['no body', () => new Response(null, { status: 204 }), /sent an empty reply/],
    ['an event without an end', () => new Response(`data: ${'x'.repeat(17_000_000)}`), /Cannot read an event of more/],
  ] as const) {
    test(`${name} is an error that says so`, async () => {
      await assert.rejects(accumulate(server(response).engine(question)), { message })
    })
  }
})

describe('options of chatCompletions()', () => {
  const baseURL = 'http://127.0.0.1:1/v1'
  for (const [options, message] of [
    [{ baseURL, prefil: true }, /prefil of chatCompletions\(\): did you mean prefill/],
    [
      { baseURL, apiKey: 'secret\n' },
      /^Cannot use apiKey of chatCompletions\(\): it must be a text without line breaks$/,
    ],
    [
      { baseURL, headers: { 'a b': 'secret' } },
      /^Cannot use headers of chatCompletions\(\): it must be an object of names and texts$/,
    ],
    [
      { baseURL, headers: new Headers({ a: 'secret' }) },
      /headers of chatCompletions\(\): it must be an object of names/,
    ],
    [{ baseURL, timeoutMs: 0 }, /timeoutMs of chatCompletions\(\): it must be a number above 0: found 0/],
    [{ baseURL, unsupported: 'ignore' }, /must be refuse or drop: found "ignore"/],
    [{ baseURL: 'ftp://127.0.0.1' }, /baseURL must be an address/],
    [{ baseURL: 'http://me:secret@127.0.0.1/v1' }, /with a user or a password in it: set headers instead$/],
    [{ baseURL: 'http://127.0.0.1/v1/chat/completions' }, /leave that out/],
  ] as const) {
    test(`${JSON.stringify(options)} is refused`, () => {
      assert.throws(() => chatCompletions(options as ChatCompletionsOptions), { name: 'AnthropicError', message })
    })
  }

  test('the query of an address stays at its end', async () => {
    const urls: string[] = []
    const fetch = async (url: string): Promise<Response> => {
      urls.push(url)
      return new Response('', { status: 500 })
    }
    const engine = chatCompletions({ baseURL: 'https://example.com/openai/v1/?api-version=1', fetch })
    await assert.rejects(accumulate(engine(question)))
    assert.ok(urls.includes('https://example.com/openai/v1/chat/completions?api-version=1'), urls.join())
  })
})

test('ThinkTags finds the same pieces wherever the text is cut', () => {
  for (const text of [
    '<think>a</think>b',
    ' \n<think>\na<b</th</think>\n\nb',
    'a<think>b',
    '<thin',
    '<think>a',
    '<think></think>b',
    '',
  ]) {
    const expected = joined([text])
    for (let at = 0; at <= text.length; at++)
      assert.deepEqual(joined([text.slice(0, at), text.slice(at)]), expected, `${text} at ${at}`)
    assert.deepEqual(joined([...text]), expected)
  }
})

function joined(pieces: string[]): Record<string, string> {
  const tags = new ThinkTags()
  const found = [...pieces.flatMap((piece) => tags.push(piece)), ...tags.end()]
  const texts: Record<string, string> = {}
  for (const { kind, text } of found) texts[kind] = (texts[kind] ?? '') + text
  return texts
}

describe('events', () => {
  test('come in the order of the API, each block opened once and closed', async () => {
    const chunks = [
      delta({ reasoning: 'a' }),
      delta({ content: 'b' }),
      delta({ reasoning: 'c' }),
      call(0, 'weather', '{'),
      call(1, 'weather', '{}'),
      call(0, undefined, '}'),
      finish('stop'),
    ]
    const events: MessageStreamEvent[] = await Array.fromAsync(
      server(sse(...chunks)).engine(askTools) as AsyncIterable<MessageStreamEvent>,
    )
    const names = events.map((event) =>
      (event as { index?: number }).index === undefined
        ? event.type
        : `${event.type}:${(event as { index: number }).index}`,
    )
    assert.deepEqual(names, [
      'message_start',
      'content_block_start:0',
      'content_block_delta:0',
      'content_block_delta:0',
      'content_block_stop:0',
      'content_block_start:1',
      'content_block_delta:1',
      'content_block_stop:1',
      'content_block_start:2',
      'content_block_delta:2',
      'content_block_delta:2',
      'content_block_stop:2',
      'content_block_start:3',
      'content_block_delta:3',
      'content_block_delta:3',
      'content_block_stop:3',
      'content_block_start:4',
      'content_block_delta:4',
      'content_block_stop:4',
      'message_delta',
      'message_stop',
    ])
  })

  test('leave the input of a call open that the limit cut off', async () => {
    const chunks = [call(0, 'weather', '{"a":'), finish('length')]
    const events = await Array.fromAsync(server(sse(...chunks)).engine(askTools))
    assert.equal(events.filter(({ type }) => type === 'content_block_stop').length, 0)
    assert.equal((await replyTo(askTools, chunks)).stop_reason, 'max_tokens')
  })
})

describe('errors', () => {
  const unfitting = JSON.stringify({
    detail: [
      { type: 'missing', loc: ['body', 'messages', 0, 'content'], msg: 'Field required', input: { role: 'user' } },
      { type: 'int_type', loc: ['body', 'n'], msg: 'bad', input: 'x' },
    ],
  })
  const failures: [name: string, status: number, body: string, type: string, expected: number, message: RegExp][] = [
    [
      'OpenAI',
      400,
      '{"error":{"message":"bad","type":"invalid_request_error","code":null}}',
      'invalid_request_error',
      400,
      /^bad$/,
    ],
    ['a text', 422, '{"detail":"bad"}', 'invalid_request_error', 400, /^bad$/],
    ['FastAPI', 422, '{"detail":[{"message":"bad"}]}', 'invalid_request_error', 400, /^bad$/],
    [
      'a check of FastAPI',
      422,
      unfitting,
      'invalid_request_error',
      400,
      /^messages\.0\.content: Field required; n: bad$/,
    ],
    ['a string', 404, '{"error":"model \\"x\\" not found"}', 'not_found_error', 404, /not found/],
    [
      'a page',
      502,
      '<html>Bad gateway 10.0.0.1</html>',
      'api_error',
      502,
      /^The model's server answered with status 502\.$/,
    ],
    ['a key', 401, '{"error":{"message":"no key"}}', 'authentication_error', 401, /no key/],
    ['a limit', 429, '{"error":{"message":"slow"}}', 'rate_limit_error', 429, /slow/],
    ['overload', 503, '{"error":{"message":"busy"}}', 'overloaded_error', 529, /busy/],
    [
      'llama.cpp',
      400,
      '{"error":{"code":400,"message":"request (3030 tokens) exceeds the available context size (1024 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":3030,"n_ctx":1024}}',
      'invalid_request_error',
      400,
      /^prompt is too long: 3030 tokens > 1024 maximum$/,
    ],
    [
      'vLLM',
      400,
      '{"message":"This model\'s maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion)."}',
      'invalid_request_error',
      400,
      /^prompt is too long: 4900 tokens > 4096 maximum$/,
    ],
    [
      'no picture',
      500,
      '{"error":{"message":"image input is not supported"}}',
      'invalid_request_error',
      400,
      /image input/,
    ],
  ]
  for (const [name, status, body, type, expected, message] of failures) {
    test(`${name}: ${status} becomes ${type}`, async () => {
      const { engine } = server(() => new Response(body, { status, headers: { 'retry-after': '7' } }))
      await assert.rejects(accumulate(engine(question)), (error: APIError) => {
        const { error: object } = error.error as { error: { type: string; message: string } }
        assert.deepEqual([error.status, object.type, error.headers?.get('retry-after')], [expected, type, '7'])
        assert.match(object.message, message)
        return true
      })
    })
  }

  test('an error inside the stream comes after the events before it', async () => {
    const { engine } = server(sse(delta({ content: 'a' }), { error: { message: 'lost', code: 503 } }))
    const seen: string[] = []
    await assert.rejects(
      async () => {
        for await (const { type } of engine(question)) seen.push(type)
      },
      { status: 529 },
    )
    assert.deepEqual(seen, ['message_start', 'content_block_start', 'content_block_delta'])
  })

  for (const [name, chunk, status, message] of [
    ['vLLM', { object: 'error', message: 'too busy', type: 'ServiceUnavailable', code: 503 }, 529, /too busy/],
    ['SGLang', { error: { object: 'error', message: 'out of memory', code: 500 } }, 500, /out of memory/],
    ['Ollama', { error: 'model runner has stopped' }, 500, /runner has stopped/],
    [
      'OpenAI',
      { error: { message: 'The server had an error', type: 'server_error', code: null } },
      500,
      /had an error/,
    ],
    [
      'OpenRouter',
      delta({ content: '' }, { finish_reason: 'error', error: { code: 502, message: 'gone' } }),
      502,
      /gone/,
    ],
    ['another server', delta({}, { finish_reason: 'error' }), 500, /ended the reply with an error/],
    ['FastAPI', { detail: 'worker died' }, 500, /worker died/],
  ] as [string, object, number, RegExp][]) {
    test(`an error inside the stream in the words of ${name}`, async () => {
      await assert.rejects(replyTo(question, [delta({ content: 'a' }), chunk, '[DONE]']), { status, message })
    })
  }

  for (const [name, answer] of [
    ['a stream that breaks off', sse(delta({ content: 'a' }))],
    ['no chunk', sse('[DONE]')],
    ['a chunk that is not JSON', sse('{nope')],
    [
      'a connection that fails',
      () => {
        throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
      },
    ],
  ] as [string, () => Response][]) {
    test(`${name} is an APIConnectionError`, async () => {
      await assert.rejects(accumulate(server(answer).engine(question)), { name: 'APIConnectionError' })
    })
  }

  test('arguments that are not JSON, and a forced call that does not come, are errors', async () => {
    await assert.rejects(
      replyTo(askTools, [call(0, 'weather', '{nope'), finish('stop')]),
      /arguments are not a JSON object/,
    )
    await assert.rejects(
      replyTo({ ...askTools, tool_choice: { type: 'any' } }, [delta({ content: 'a' }), finish('stop')]),
      /called no tool/,
    )
  })

  test('the key is in no error', async () => {
    const { engine } = server(
      () => {
        throw new TypeError('fetch failed')
      },
      { apiKey: 'sk-secret' },
    )
    const error = await accumulate(engine(question)).catch((reason: unknown) => reason)
    assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, /sk-secret/)
  })
})

describe('requests', () => {
  const ok = sse(delta({ content: 'a' }), finish('stop'))

  async function sentFor(
    params: Partial<MessageCreateParams>,
    options: Partial<ChatCompletionsOptions> = {},
  ): Promise<Sent> {
    const { engine, sent } = server(ok, options)
    await accumulate(engine({ ...question, ...params }))
    return sent[0]!
  }

  async function messagesFor(
    messages: MessageParam[],
    options: Partial<ChatCompletionsOptions> = {},
  ): Promise<unknown> {
    return (await sentFor({ messages }, options)).body['messages']
  }

  test('carry the settings under the names of the server', async () => {
    const options = { apiKey: 'key', model: 'other', headers: { 'x-title': 'T' }, baseURL: 'http://127.0.0.1/v1/' }
    const { engine, sent } = server(sse(call(0, 'weather', '{}'), finish('stop')), options)
    await accumulate(
      engine({
        ...question,
        system: 'Be brief.',
        temperature: 0.5,
        top_p: 0.9,
        top_k: 5,
        metadata: { user_id: 'u' },
        tools: [weather],
        tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
        output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
      }),
    )
    const { url, headers, body } = sent[0]!
    assert.equal(url, 'http://127.0.0.1/v1/chat/completions')
    assert.deepEqual([headers['authorization'], headers['x-title']], ['Bearer key', 'T'])
    assert.deepEqual(body, {
      model: 'other',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      user: 'u',
      tools: [
        { type: 'function', function: { name: 'weather', description: 'Weather', parameters: { type: 'object' } } },
      ],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'reply', schema: { type: 'object' }, strict: true },
      },
    })
  })

  test('leave out what strict servers refuse', async () => {
    const { body } = await sentFor({ top_k: 5, metadata: { user_id: 'u' } }, { baseURL: 'https://api.openai.com/v1' })
    assert.deepEqual(Object.keys(body), ['model', 'messages', 'stream', 'stream_options', 'max_completion_tokens'])
  })

  test('extraBody replaces fields', async () => {
    const { body } = await sentFor({ temperature: 1 }, { extraBody: { temperature: 0.2, min_p: 0.1 } })
    assert.deepEqual([body['temperature'], body['min_p']], [0.2, 0.1])
  })

  test('carry a tool loop: calls, a result each, pictures of results in the question', async () => {
    const image = {
      type: 'image' as const,
      source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'AA' },
    }
    const messages: MessageParam[] = [
      { role: 'user', content: 'Look' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'I look' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { a: 1 } },
          { type: 'tool_use', id: 'toolu_2', name: 'weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'sun' }, image] },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'gone', is_error: true },
          { type: 'text', text: 'Well?' },
        ],
      },
    ]
    assert.deepEqual(await messagesFor(messages, { sendsThinking: true }), [
      { role: 'user', content: 'Look' },
      {
        role: 'assistant',
        content: 'I look',
        tool_calls: [
          { id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{"a":1}' } },
          { id: 'toolu_2', type: 'function', function: { name: 'weather', arguments: '{}' } },
        ],
        reasoning_content: 'hm',
      },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'sun' },
      { role: 'tool', tool_call_id: 'toolu_2', content: 'Error: gone' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          { type: 'text', text: 'Well?' },
        ],
      },
    ])
  })

  test('fold system messages within the history into the question', async () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'Now in French.' },
    ] as MessageParam[]
    assert.deepEqual(await messagesFor(messages), [
      { role: 'user', content: 'a\n\n<system>\nNow in French.\n</system>' },
    ])
  })

  test('ids of calls have nine characters for Mistral, the same for call and result', async () => {
    const messages: MessageParam[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_01ABC', name: 'weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_01ABC', content: 'b' }] },
    ]
    const sent = (await messagesFor(messages, { baseURL: 'https://api.mistral.ai/v1' })) as {
      tool_calls?: { id: string }[]
      tool_call_id?: string
    }[]
    assert.match(sent[1]!.tool_calls![0]!.id, /^[a-z0-9]{9}$/)
    assert.equal(sent[1]!.tool_calls![0]!.id, sent[2]!.tool_call_id)
  })

  test('a document of text is text, a PDF goes to servers that read it', async () => {
    const pdf = {
      type: 'document' as const,
      title: 'a.pdf',
      source: { type: 'base64' as const, media_type: 'application/pdf' as const, data: 'AA' },
    }
    const text = {
      type: 'document' as const,
      title: 'T',
      source: { type: 'text' as const, media_type: 'text/plain' as const, data: 'Hello' },
    }
    assert.deepEqual(await messagesFor([{ role: 'user', content: [text] }]), [
      { role: 'user', content: 'Document: T\n\nHello' },
    ])
    await assert.rejects(
      messagesFor([{ role: 'user', content: [pdf] }]),
      /messages\.0\.content\.0\.source: a document from a PDF is not supported/,
    )
    assert.deepEqual(
      await messagesFor([{ role: 'user', content: [pdf, { type: 'text', text: 'b' }] }], { unsupported: 'drop' }),
      [{ role: 'user', content: 'b' }],
    )
    const [sent] = (await messagesFor([{ role: 'user', content: [pdf] }], {
      baseURL: 'https://openrouter.ai/api/v1',
    })) as { content: { type: string }[] }[]
    assert.equal(sent!.content[0]!.type, 'file')
  })

  test('server tools are refused by name, or dropped', async () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }] as MessageCreateParams['tools'] & object
    await assert.rejects(sentFor({ tools }), /tools\.0: a tool of type 'web_search_20250305' is not supported/)
    assert.equal('tools' in (await sentFor({ tools }, { unsupported: 'drop' })).body, false)
  })

  test('the beginning of a reply is refused, or continued without its repetition', async () => {
    const messages: MessageParam[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'The capital' },
    ]
    await assert.rejects(sentFor({ messages }), /does not support assistant message prefill/)
    for (const pieces of [[' is Paris'], ['The cap', 'ital is Paris'], ['The capital is Paris']]) {
      const { engine } = server(sse(...pieces.map((content) => delta({ content })), finish('stop')), { prefill: true })
      assert.deepEqual(shapes(await accumulate(engine({ ...question, messages }))), ['text: is Paris'])
    }
  })
})

describe('abort', () => {
  test('before the first byte and in the middle ends the request', async () => {
    for (const chunks of [0, 2]) {
      let cancelled = false
      const controller = new AbortController()
      const fetch = async (_: string, init: RequestInit): Promise<Response> => {
        if (chunks === 0) {
          setTimeout(() => controller.abort(), 5)
          return new Promise((_resolve, reject) =>
            init.signal!.addEventListener('abort', () => {
              cancelled = true
              reject(init.signal!.reason as Error)
            }),
          )
        }
        const body = new ReadableStream({
          pull(stream) {
            stream.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(delta({ content: 'a' }))}\n\n`))
            return new Promise((resolve) => setTimeout(resolve, 1))
          },
          cancel() {
            cancelled = true
          },
        })
        init.signal!.addEventListener('abort', () => {
          cancelled = true
        })
        return new Response(body)
      }
      const engine = chatCompletions({ baseURL: 'http://127.0.0.1/v1', fetch })
      await assert.rejects(
        async () => {
          let seen = 0
          for await (const _ of engine(question, { signal: controller.signal })) if (++seen > chunks) controller.abort()
        },
        { name: 'APIUserAbortError' },
      )
      assert.ok(cancelled)
    }
  })

  test('leaving the loop ends the request', async () => {
    let isAborted = false
    const { engine } = server(sse(delta({ content: 'a' }), finish('stop')))
    const watched = chatCompletions({
      baseURL: 'http://127.0.0.1/v1',
      fetch: async (_, init) => {
        init.signal!.addEventListener('abort', () => (isAborted = true))
        return sse(delta({ content: 'a' }), delta({ content: 'b' }), finish('stop'))()
      },
    })
    for await (const _ of watched(question)) break
    assert.ok(isAborted)
    for await (const _ of engine(question)) break
  })
})

describe('listModels()', () => {
  function list(response: () => Response, options: Partial<ChatCompletionsOptions> = {}) {
    const sent: { url: string; method: string | undefined; authorization: string | undefined }[] = []
    const fetch = async (url: string, { method, headers }: RequestInit): Promise<Response> => {
      sent.push({ url, method, authorization: (headers as Record<string, string>)['authorization'] })
      return response()
    }
    return { engine: chatCompletions({ baseURL: 'http://127.0.0.1:8080/v1/', ...options, fetch }), sent }
  }

  test('has the server’s models, newest first, with the window that each server names', async () => {
    const data = [
      { id: 'lmstudio', object: 'model', max_context_length: 4096 },
      { id: 'vllm', created: 1_700_000_000, max_model_len: 8192 },
      { id: 'openrouter', name: 'Open: Router', created: 1_750_000_000, context_length: 131_072 },
      { id: 'groq', created: 1_690_000_000, context_window: 32_768 },
      { id: 'llama.cpp', created: 1_600_000_000, meta: { n_ctx_train: 2048 } },
      { id: 'ollama', created: 1_500_000_000 },
      { object: 'model' },
      null,
    ]
    const { engine, sent } = list(() => Response.json({ object: 'list', data }), { apiKey: 'sk-x' })
    const models = await engine.listModels!()
    assert.deepEqual(
      models.map(({ id, max_input_tokens: window }) => [id, window]),
      [
        ['openrouter', 131_072],
        ['vllm', 8192],
        ['groq', 32_768],
        ['llama.cpp', 2048],
        ['ollama', null],
        ['lmstudio', 4096],
      ],
    )
    assert.equal(models[0]!.display_name, 'Open: Router')
    assert.equal(models[0]!.created_at, '2025-06-15T15:06:40Z')
    assert.deepEqual(sent, [{ url: 'http://127.0.0.1:8080/v1/models', method: 'GET', authorization: 'Bearer sk-x' }])
  })

  test('throws the server’s error, and for anything else than a list one of its own', async () => {
    const failing: [Response, object][] = [
      [new Response('no', { status: 401 }), { status: 401 }],
      [Response.json({ models: [] }), { message: "The model's server sent no list of models." }],
      [Response.json(null), { message: "The model's server sent no list of models." }],
      [new Response('<html>'), { message: "The model's server sent a reply that is not JSON." }],
    ]
    for (const [response, error] of failing) await assert.rejects(list(() => response).engine.listModels!(), error)
  })

  test('is absent if every request gets one model', () => {
    assert.equal(list(() => Response.json({}), { model: 'one' }).engine.listModels, undefined)
  })
})
