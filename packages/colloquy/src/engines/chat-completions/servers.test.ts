import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { APIError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { callIdParts, callIdWith } from '../call-id.ts'
import { chatCompletions } from './chat-completions.ts'

const weather = { name: 'get_weather', input_schema: { type: 'object' as const } }
const question: MessageCreateParams = {
  model: 'asked',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
  tools: [weather],
}

/** An engine before a server that streams these bytes. */
function answering(body: string, type = 'text/event-stream'): Engine {
  const fetch = async (url: string): Promise<Response> =>
    url.endsWith('/chat/completions')
      ? new Response(body, { headers: { 'content-type': type } })
      : new Response('', { status: 404 })
  return chatCompletions({ baseURL: 'http://127.0.0.1:8080/v1', fetch })
}

function blocks({ content }: Message): string[] {
  return content.map((block) => {
    if (block.type === 'text') return block.text
    if (block.type === 'thinking') return `(${block.thinking})`
    return block.type === 'tool_use' ? `${block.name} ${JSON.stringify(block.input)}` : block.type
  })
}

/** The bytes of a stream as one server or another writes them. */
const replies: [server: string, body: string, blocks: string[], stop: string, usage?: Partial<Message['usage']>][] = [
  [
    'vLLM, with usage in each chunk and null beside the delta',
    `data: {"model":"served","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":null,"tool_calls":[]},"finish_reason":null}],"usage":{"prompt_tokens":7,"completion_tokens":0}}\n\ndata: {"choices":[{"index":0,"delta":{"content":"Yes","tool_calls":null},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":7,"completion_tokens":1}}\n\ndata: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","stop_reason":151643}],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n`,
    ['Yes'],
    'end_turn',
    { input_tokens: 7, output_tokens: 2 },
  ],
  [
    'llama.cpp, with CRLF, comments and without a space or a blank line at the end',
    `: ping\r\n\r\ndata:{"choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}]}\r\n\r\n: ping\r\ndata:{"choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":null}]}\r\n\r\ndata:{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata:{"choices":[],"usage":{"completion_tokens":3,"prompt_tokens":4},"timings":{"prompt_ms":1.5}}\r\n\r\ndata:[DONE]`,
    ['Yes'],
    'end_turn',
    { input_tokens: 4, output_tokens: 3 },
  ],
  [
    'a server that names no reason of the end, and ends at data:[DONE] without a blank line',
    `data:{"choices":[{"delta":{"content":"Yes"}}]}\n\ndata:[DONE]\n`,
    ['Yes'],
    'end_turn',
  ],
  [
    'a server whose last chunk has no blank line',
    `data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}\n`,
    ['Yes'],
    'end_turn',
    { input_tokens: 5 },
  ],
  [
    'a server with lone carriage returns',
    `data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\r\rdata: [DONE]\r\r`,
    ['Yes'],
    'end_turn',
  ],
  [
    'Ollama, with reasoning and a whole call without an index',
    `data: {"model":"qwen3","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Hm"},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_x","index":0,"type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Rome\\"}"}}]},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n`,
    ['(Hm)', 'get_weather {"city":"Rome"}'],
    'tool_use',
  ],
  [
    'LM Studio, with calls whose ids are numbers and whose arguments come alone',
    `data: {"choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"365174485","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"type":"function","function":{"name":null,"arguments":"{\\"city\\":"}}]}}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\"Rome\\"}"}}]}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n`,
    ['get_weather {"city":"Rome"}'],
    'tool_use',
  ],
  [
    'Mistral, with thinking as parts of the content',
    `data: {"model":"magistral","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"H"}]}]},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"m"}]},{"type":"text","text":"Ye"}]}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":[{"type":"reference","reference_ids":[1]},{"type":"text","text":"s"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":6,"total_tokens":9,"completion_tokens":3}}\n\ndata: [DONE]\n\n`,
    ['(Hm)', 'Yes'],
    'end_turn',
    { input_tokens: 6, output_tokens: 3 },
  ],
  [
    'Mistral, with its own name for a full window',
    `data: {"choices":[{"index":0,"delta":{"content":"Ye"},"finish_reason":"model_length"}],"usage":{"prompt_tokens":6,"completion_tokens":3}}\n\ndata: [DONE]\n\n`,
    ['Ye'],
    'model_context_window_exceeded',
  ],
  [
    'Groq, with reasoning and usage of its own',
    `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_1"}}\n\ndata: {"choices":[{"index":0,"delta":{"reasoning":"Hm","channel":"analysis"}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"Yes"}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"prompt_tokens":8,"completion_tokens":2}}}\n\ndata: [DONE]\n\n`,
    ['(Hm)', 'Yes'],
    'end_turn',
    { input_tokens: 8 },
  ],
  [
    'OpenRouter, with details of reasoning beside it',
    `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {"provider":"X","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Hm","reasoning_details":[{"type":"reasoning.text","text":"Hm"}]},"finish_reason":null,"native_finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes","reasoning":null,"reasoning_details":[]},"finish_reason":"stop"}]}\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":2,"cost":0.1,"cost_details":{"upstream_inference_cost":null}}}\n\ndata: [DONE]\n\n`,
    ['(Hm)', 'Yes'],
    'end_turn',
    { input_tokens: 5 },
  ],
  [
    'Azure, with filter results in chunks of their own',
    `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}\n\ndata: {"choices":[{"content_filter_results":{},"delta":{"content":"Yes"},"finish_reason":null,"index":0}],"model":"gpt"}\n\ndata: {"choices":[{"content_filter_offsets":{"check_offset":4},"content_filter_results":{},"finish_reason":null,"index":0}],"model":""}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop","index":0}],"model":"gpt"}\n\ndata: [DONE]\n\n`,
    ['Yes'],
    'end_turn',
  ],
  [
    'Gemini, with the reason of its filter',
    `data: {"choices":[{"delta":{"role":"assistant","content":"Ye"},"index":0}]}\n\ndata: {"choices":[{"delta":{"role":"assistant"},"finish_reason":"content_filter: PROHIBITED_CONTENT","index":0}]}\n\ndata: [DONE]\n\n`,
    ['Ye'],
    'refusal',
  ],
  [
    'DeepSeek, with keep-alive comments and reasoning before a call',
    `: keep-alive\n\n: keep-alive\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm"},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"","reasoning_content":null}}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_00","type":"function","function":{"name":"get_weather","arguments":""}}]}}]}\n\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":1}}\n\ndata: [DONE]\n\n`,
    ['(Hm)', 'get_weather {}'],
    'tool_use',
    { input_tokens: 1, cache_read_input_tokens: 8 },
  ],
  [
    'a server that cuts the name of a tool in two',
    `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"get_"}}]}}]}\n\ndata: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"weather"}}]}}]}\n\ndata: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}\n\ndata: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}\n\n`,
    ['get_weather {}'],
    'tool_use',
  ],
  [
    'a server that gives calls no arguments at all',
    `data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"get_weather"}}]}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\n`,
    ['get_weather {}'],
    'tool_use',
  ],
  [
    'a server whose last chunk repeats the whole message, with a reason in capitals',
    `data: {"choices":[{"delta":{"content":"Ye"}}]}\n\ndata: {"choices":[{"delta":{"content":"s"}}]}\n\ndata: {"choices":[{"message":{"role":"assistant","content":"Yes"},"finish_reason":"MAX_TOKENS"}]}\n\n`,
    ['Yes'],
    'max_tokens',
  ],
  [
    'a server with parts of text that are empty, or texts themselves',
    `data: {"choices":[{"delta":{"content":["Ye",{"type":"text","text":null},{"type":"text","text":"s"}],"reasoning":{"effort":"low"}},"finish_reason":"stop"}]}\n\n`,
    ['Yes'],
    'end_turn',
  ],
]

/** The ends of streams that report an error, after a first delta. */
const errors: [server: string, end: string, status: number, message: RegExp][] = [
  [
    'LM Studio',
    'event: error\ndata: {"error":{"message":"The model has crashed"}}\n\n',
    500,
    /^The model has crashed$/,
  ],
  ['LM Studio without a member error', 'event: error\ndata: {"message":"Unloaded"}\n\n', 500, /^Unloaded$/],
  ['LiteLLM', 'data: {"error":{"message":"Slow down","type":"rate_limit_error","code":null}}\n\n', 429, /Slow down/],
  ['Anthropic', 'data: {"error":{"message":"Overloaded","type":"overloaded_error"}}\n\n', 529, /Overloaded/],
  ['a server with a status_code', 'data: {"object":"error","message":"Who?","status_code":401}\n\n', 401, /Who/],
  ['a server of plain text', 'event: error\ndata: out of memory\n\n', 500, /^out of memory$/],
  ['Groq', 'event: error\ndata: {"error":{"message":"Too many","code":"429"}}\n\n', 429, /^Too many$/],
  ['vLLM', 'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\ndata: [DONE]\n\n', 500, /aborted the reply/],
  [
    'DeepSeek',
    'data: {"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]}\n\n',
    529,
    /overloaded/,
  ],
]

/** The errors that servers report in the first chunk of a success, as a stream or as JSON. */
const firstErrors: [server: string, body: string, status: number, message: RegExp][] = [
  [
    'vLLM',
    '{"error":{"object":"error","message":"The model is not multimodal","type":"BadRequestError","param":null,"code":400}}',
    400,
    /not multimodal/,
  ],
  [
    'OpenRouter',
    '{"id":"gen-1","object":"chat.completion.chunk","choices":[],"error":{"code":429,"message":"Provider returned error"}}',
    429,
    /Provider returned error/,
  ],
  [
    'Gemini',
    '{"choices":[{"finish_reason":"function_call_filter: MALFORMED_FUNCTION_CALL","index":0,"delta":{"role":"assistant"}}]}',
    500,
    /refused the call that the model wrote/,
  ],
]

describe('a reply in the bytes of', () => {
  for (const [server, body, expected, stop, usage = {}] of replies) {
    test(server, async () => {
      const message = await accumulate(answering(body)(question))
      assert.deepEqual([blocks(message), message.stop_reason], [expected, stop])
      for (const [name, value] of Object.entries(usage))
        assert.equal(message.usage[name as 'input_tokens'], value, name)
    })
  }

  test('a server that names the wrong content type', async () => {
    const chunk = '{"choices":[{"message":{"content":"Yes"},"finish_reason":"stop"}]}'
    for (const body of [chunk, ` \n${chunk}`, `data: ${chunk}\n\n`, `\n\n: hello\n\ndata: ${chunk}\n\n`]) {
      for (const type of ['application/json', 'text/event-stream', 'text/plain']) {
        assert.deepEqual(blocks(await accumulate(answering(body, type)(question))), ['Yes'], `${type}: ${body}`)
      }
    }
  })

  test('an error in a list, as Gemini sends it, is its error', async () => {
    const body = '[{"error":{"code":429,"message":"You exceeded your quota","status":"RESOURCE_EXHAUSTED"}}]'
    await assert.rejects(accumulate(answering(body, 'application/json')(question)), { status: 429, message: /quota/ })
  })

  for (const [server, body, status, message] of firstErrors) {
    test(`an error of ${server} before any event, which another engine may answer`, async () => {
      for (const engine of [answering(`data: ${body}\n\ndata: [DONE]\n\n`), answering(body, 'application/json')]) {
        const first = engine(question)[Symbol.asyncIterator]().next()
        await assert.rejects(first, (error: APIError) => {
          assert.deepEqual([error.status, message.test(error.message)], [status, true], error.message)
          return true
        })
      }
    })
  }

  for (const [server, end, status, message] of errors) {
    test(`an error of ${server}`, async () => {
      const body = `data: {"choices":[{"delta":{"content":"Ye"}}]}\n\n${end}`
      await assert.rejects(accumulate(answering(body)(question)), (error: APIError) => {
        assert.equal(error.status, status)
        assert.match((error.error as { error: { message: string } }).error.message, message)
        return true
      })
    })
  }
})

test('a server that cannot be reached, or breaks off, is named without the query of its address', async () => {
  const failing = (answer: () => Response): Engine =>
    chatCompletions({
      baseURL: 'https://models.test:8443/v1?key=secret',
      fetch: async (url) => (url.includes('/chat/completions?') ? answer() : new Response('', { status: 404 })),
    })
  const broken = Object.assign(new TypeError('terminated'), {
    cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }),
  })
  const first = new TextEncoder().encode('data: {"choices":[{"delta":{"content":"Ye"}}]}\n\n')
  const answers: [verb: string, answer: () => Response][] = [
    [
      'reach',
      () => {
        throw broken
      },
    ],
    [
      'read',
      () =>
        new Response(
          new ReadableStream(
            { start: (body) => body.enqueue(first), pull: (body) => body.error(broken) },
            { highWaterMark: 0 },
          ),
        ),
    ],
  ]
  for (const [verb, answer] of answers) {
    await assert.rejects(accumulate(failing(answer)(question)), {
      name: 'APIConnectionError',
      message: `Connection error: cannot ${verb} https://models.test:8443 (ECONNRESET)`,
      host: 'models.test:8443',
    })
  }
})

test('usage without counts is estimated and marked', async () => {
  for (const usage of ['{}', '{"total_tokens":9}', '{"prompt_tokens":null,"completion_tokens":null}']) {
    const body = `data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}],"usage":${usage}}\n\n`
    const { usage: counts } = await accumulate(answering(body)(question))
    assert.ok(counts.input_tokens > 0, usage)
    assert.equal((counts as { estimated?: boolean }).estimated, true)
  }
})

test('an estimate of the usage counts the name and the arguments of a call', async () => {
  const outputOf = async (given: unknown): Promise<number> => {
    const call = { index: 0, function: { name: 'get_weather', arguments: given } }
    const chunk = { choices: [{ delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] }
    return (await accumulate(answering(`data: ${JSON.stringify(chunk)}\n\n`)(question))).usage.output_tokens
  }
  const city = 'Llanfairpwllgwyngyll '.repeat(20)
  const least = (await outputOf('{}')) + 20
  assert.ok((await outputOf(JSON.stringify({ city }))) > least)
  assert.ok((await outputOf({ city })) > least)
})

test('arguments nested too deep for JSON are an error that names the tool', async () => {
  const json = JSON.stringify(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)
  const body = `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"get_weather","arguments":${json}}}]},"finish_reason":"tool_calls"}]}\n\n`
  await assert.rejects(accumulate(answering(body)(question)), /call of get_weather whose arguments/)
})

describe('the calls of Gemini', () => {
  const signed = { google: { thought_signature: 'a+b/c=é' } }
  const chunk = (calls: object[]): string =>
    `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: calls }, finish_reason: 'tool_calls' }] })}\n\n`
  const called = { function: { name: 'get_weather', arguments: '{"city":"Rome"}' } }
  /** The messages that a server gets for a tool loop that began with this reply. */
  async function sentAfter(reply: Message['content'], baseURL: string): Promise<Record<string, unknown>[]> {
    const sent: Record<string, unknown>[] = []
    const engine = chatCompletions({
      baseURL,
      fetch: async (_, init) => {
        sent.push(...(JSON.parse(init.body as string) as { messages: typeof sent }).messages)
        return new Response(chunk([]))
      },
    })
    const content = reply.flatMap((block) =>
      block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: '21' }] : [],
    )
    await accumulate(
      engine({
        ...question,
        messages: [...question.messages, { role: 'assistant', content: reply }, { role: 'user', content }],
      }),
    )
    return sent
  }
  const google = 'https://generativelanguage.googleapis.com/v1beta/openai'

  test('are sent back with their signature, which their ids carry in the form of the API', async () => {
    const { content } = await accumulate(
      answering(
        chunk([
          { index: 0, id: 'x', ...called, extra_content: signed },
          { index: 1, id: 'y', ...called },
        ]),
      )(question),
    )
    for (const block of content) assert.match((block as { id: string }).id, /^toolu_01[a-zA-Z0-9_-]+$/)
    const [, reply, ...results] = await sentAfter(content, google)
    const calls = reply!['tool_calls'] as { id: string; extra_content?: object }[]
    assert.deepEqual(
      calls.map((call) => call.extra_content),
      [signed, undefined],
    )
    assert.deepEqual(
      results.map(({ tool_call_id: id }) => id),
      calls.map(({ id }) => id),
    )
    // OpenAI refuses longer ones.
    for (const { id } of calls) assert.ok(id.length <= 40)
  })

  test('of another model get the signature that Google has for them, at Google alone', async () => {
    const { content } = await accumulate(
      answering(
        chunk([
          { index: 0, ...called },
          { index: 1, ...called },
        ]),
      )(question),
    )
    for (const [baseURL, expected] of [
      [google, { google: { thought_signature: 'skip_thought_signature_validator' } }],
      ['http://127.0.0.1:8080/v1', undefined],
    ] as const) {
      const [, reply] = await sentAfter(content, baseURL)
      const [first, second] = reply!['tool_calls'] as { extra_content?: object }[]
      assert.deepEqual([first!.extra_content, second!.extra_content], [expected, undefined])
    }
  })

  test('with an id that carries something else keep it', () => {
    const id = callIdWith(undefined)
    assert.match(id, /^toolu_01\w{22}$/)
    for (const other of [id, `${id}-x`, `${id}-W10`, 'call_1-eyJhIjoxfQ', `${id}-%`])
      assert.deepEqual(callIdParts(other), { id: other })
    const extra = { vertex: { thought_signature: '\u{1f600}' } }
    const carrying = callIdWith(extra)
    assert.deepEqual(callIdParts(carrying), { id: carrying.slice(0, id.length), extra })
  })
})

describe('a request as each server takes it', () => {
  const thought = { type: 'thinking' as const, thinking: 'Hm', signature: 's' }
  const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'get_weather', input: {} }
  const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: '21' }
  const loop = (reply: MessageCreateParams['messages'][number]['content']): MessageCreateParams => ({
    ...question,
    top_k: 5,
    messages: [...question.messages, { role: 'assistant', content: reply }, { role: 'user', content: [result] }],
  })
  async function bodyFor(baseURL: string, params: MessageCreateParams): Promise<Record<string, unknown>> {
    let body: Record<string, unknown> = {}
    const fetch = async (url: string, init: RequestInit): Promise<Response> => {
      if (!url.includes('/chat/completions')) return new Response('', { status: 404 })
      body = JSON.parse(init.body as string) as typeof body
      return Response.json({ choices: [{ message: { content: 'Yes' }, finish_reason: 'stop' }] })
    }
    await accumulate(chatCompletions({ baseURL, fetch })(params))
    return body
  }

  const limits: [server: string, baseURL: string, fields: string[]][] = [
    ['Mistral', 'https://api.mistral.ai/v1', ['max_tokens']],
    ['Gemini', 'https://generativelanguage.googleapis.com/v1beta/openai', ['max_tokens', 'stream_options']],
    [
      'Azure, an address of Foundry',
      'https://one.services.ai.azure.com/openai/v1',
      ['max_completion_tokens', 'stream_options'],
    ],
    [
      'Azure, an older address of Foundry',
      'https://one.cognitiveservices.azure.com/openai/deployments/gpt?api-version=1',
      ['max_completion_tokens', 'stream_options'],
    ],
    ['Azure, models of others', 'https://one.services.ai.azure.com/models', ['max_tokens', 'stream_options']],
    ['Ollama', 'http://127.0.0.1:11434/v1', ['max_tokens', 'stream_options', 'top_k']],
  ]
  for (const [server, baseURL, fields] of limits) {
    test(`${server}: ${fields.join(', ')}`, async () => {
      const body = await bodyFor(baseURL, loop([call]))
      const differing = ['max_tokens', 'max_completion_tokens', 'stream_options', 'top_k']
      assert.deepEqual(differing.filter((field) => field in body).toSorted(), fields.toSorted())
    })
  }

  test('DeepSeek and Moonshot: with the thinking of each reply that calls, even if there is none', async () => {
    const thinkingAt = async (baseURL: string, reply: Parameters<typeof loop>[0]): Promise<unknown> =>
      ((await bodyFor(baseURL, loop(reply)))['messages'] as { reasoning_content?: string }[])[1]!.reasoning_content
    for (const baseURL of ['https://api.deepseek.com', 'https://api.moonshot.ai/v1', 'https://api.moonshot.cn/v1']) {
      assert.deepEqual([await thinkingAt(baseURL, [thought, call]), await thinkingAt(baseURL, [call])], ['Hm', ''])
    }
    assert.equal(await thinkingAt('http://127.0.0.1:8080/v1', [thought, call]), undefined)
  })

  test('a reply without text and calls is an empty text, since null stands for calls', async () => {
    const contentOf = async (reply: Parameters<typeof loop>[0]): Promise<unknown> =>
      ((await bodyFor('http://127.0.0.1:8080/v1', loop(reply)))['messages'] as { content: unknown }[])[1]!.content
    assert.deepEqual([await contentOf([thought]), await contentOf([call])], ['', null])
  })
})

test('requests to Azure keep the query of the address and carry the key as api-key', async () => {
  const sent: [url: string, headers: Record<string, string>, body: Record<string, unknown>][] = []
  const engine = chatCompletions({
    baseURL: 'https://one.openai.azure.com/openai/deployments/gpt/?api-version=2024-10-21',
    apiKey: 'secret',
    fetch: async (url, init) => {
      sent.push([url, init.headers as Record<string, string>, JSON.parse(init.body as string) as never])
      return Response.json({ choices: [{ message: { content: 'Yes' }, finish_reason: 'stop' }] })
    },
  })
  await accumulate(engine({ ...question, top_k: 5 }))
  assert.equal(sent.length, 1)
  const [url, headers, body] = sent[0]!
  assert.equal(url, 'https://one.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21')
  assert.deepEqual([headers['api-key'], headers['authorization']], ['secret', undefined])
  assert.deepEqual([body['top_k'], body['max_tokens'], body['max_completion_tokens']], [undefined, undefined, 100])
})
