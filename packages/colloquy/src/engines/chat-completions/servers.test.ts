import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { APIError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Engine } from '../../protocol/types/engine.ts'
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

describe('a reply in the bytes of', () => {
  for (const [server, body, expected, stop, usage = {}] of replies) {
    test(server, async () => {
      const message = await accumulate(answering(body)(question))
      assert.deepEqual([blocks(message), message.stop_reason], [expected, stop])
      for (const [name, value] of Object.entries(usage))
        assert.equal(message.usage[name as 'input_tokens'], value, name)
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
