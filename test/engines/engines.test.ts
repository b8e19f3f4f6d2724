import assert from 'node:assert/strict'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { hasRuntime, llama, type LlamaEngine, type LlamaOptions } from '@colloquy/llama'
import Anthropic from 'colloquy'
import { chatCompletions, offline, route, script, upstream } from 'colloquy/engines'
import { accumulate, type APIError, type Message, type MessageParam } from 'colloquy/protocol'
import { gguf } from '../gguf.ts'
import { startChatServer } from './chat-server.ts'
import { engineContract } from './contract.ts'
import { localModel, runtimeFolder, startLlamaServer } from './local-model.ts'
import { type ModelScript, writeScriptedModel } from './scripted-model.ts'

const model = 'claude-sonnet-4-6'

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

engineContract('offline()', async () => ({ engine: offline() }), { model, tools: true, json: true, exactCounts: true })

engineContract(
  'upstream() over HTTP',
  async () => {
    const { url, close } = await listen(createServer({ engine: offline() }), { port: 0 })
    const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 })
    return { engine: upstream(client), close }
  },
  { model, tools: true, json: true, exactCounts: true },
)

engineContract(
  'chatCompletions() over HTTP',
  async () => {
    const { baseURL, close } = await startChatServer(offline())
    return { engine: chatCompletions({ baseURL }), close }
  },
  { model, tools: true, json: true },
)

engineContract(
  'route() whose first engine is overloaded',
  async () => {
    const busy = script([{ error: { type: 'overloaded_error' }, times: Infinity }])
    const to = ['busy', { engine: 'offline', model }]
    return { engine: route({ engines: { busy, offline: offline() }, routes: { 'my-*': { to } } }) }
  },
  { model: 'my-model', tools: true, json: true, exactCounts: true },
)

const path = await localModel()
const tooLong = 'word '.repeat(9_000)

if (hasRuntime(runtimeFolder)) {
  test('llama() calls a tool that tool_choice leaves open, and reads its result', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-scripted-'))
    const file = join(folder, 'scripted.gguf')
    writeScriptedModel(file, {
      first: [
        'I add.',
        '\n<tool_call>\n{"name": "',
        'add',
        '", "arguments": ',
        '{"terms": [20, 22]}',
        '}\n</tool_call>',
      ],
      until: 'sum-42',
      then: ['The sum ', 'is 42.'],
    })
    const read: [done: number, total: number][] = []
    const onRead = (...tokens: [number, number]): void => void read.push(tokens)
    const engine = llama({ model: file, runtimeFolder, contextSize: 32_768, onRead })
    t.after(async () => {
      await engine.close()
      await rm(folder, { recursive: true })
    })
    const terms = { type: 'array', items: { type: 'integer' } }
    const input_schema = { type: 'object' as const, properties: { terms }, required: ['terms'] }
    const ask = (messages: MessageParam[]): Promise<Message> =>
      accumulate(
        engine({
          model: 'm',
          max_tokens: 100,
          // Without greedy sampling: the weights alone decide.
          temperature: 1,
          tools: ['add', 'addAll', 'subtract'].map((name) => ({ name, input_schema })),
          messages,
        }),
      )
    const question: MessageParam = { role: 'user', content: `${'Consider this. '.repeat(100)}Add 20 and 22.` }
    const call = await ask([question])
    const [before, block] = call.content
    assert.deepEqual(before, { type: 'text', text: 'I add.\n', citations: null })
    assert.ok(block?.type === 'tool_use' && call.content.length === 2)
    assert.deepEqual([block.name, block.input, call.stop_reason], ['add', { terms: [20, 22] }, 'tool_use'])
    const { input_tokens: total } = call.usage
    assert.deepEqual(
      [read[0], read[1], read.at(-1)],
      [
        [0, total],
        [128, total],
        [total, total],
      ],
    )
    read.length = 0
    const result = { type: 'tool_result' as const, tool_use_id: block.id, content: 'sum-42' }
    const answer = await ask([
      question,
      { role: 'assistant', content: call.content },
      { role: 'user', content: [result] },
    ])
    assert.deepEqual(answer.content, [{ type: 'text', text: 'The sum is 42.', citations: null }])
    const kept = answer.usage.cache_read_input_tokens!
    assert.ok(kept > 1_500)
    assert.deepEqual(read[0], [kept, kept + answer.usage.input_tokens])
  })
}

if (hasRuntime(runtimeFolder)) {
  test('llama() finds a call behind a control token, as Mistral models begin it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-scripted-'))
    const file = join(folder, 'mistral.gguf')
    const control = ['[TOOL_CALLS]', '[ARGS]']
    const first = ['I add.', '[TOOL_CALLS]', 'add', '[ARGS]', '{"terms": [20, 22]}']
    writeScriptedModel(file, { first, until: 'sum-42', then: ['42.'], control })
    const engine = llama({ model: file, runtimeFolder, contextSize: 8_192 })
    t.after(async () => {
      await engine.close()
      await rm(folder, { recursive: true })
    })
    const terms = { type: 'array', items: { type: 'integer' } }
    const request = {
      model: 'm',
      max_tokens: 100,
      temperature: 1,
      messages: [{ role: 'user' as const, content: 'Add 20 and 22.' }],
    }
    const tools = [
      { name: 'add', input_schema: { type: 'object' as const, properties: { terms }, required: ['terms'] } },
    ]
    const { content, stop_reason: reason } = await accumulate(engine({ ...request, tools }))
    const [text, call] = content
    assert.deepEqual(text, { type: 'text', text: 'I add.', citations: null })
    assert.ok(call?.type === 'tool_use' && content.length === 2)
    assert.deepEqual([call.name, call.input, reason], ['add', { terms: [20, 22] }, 'tool_use'])
    // Without tools a tag stays a control token, which is not shown.
    assert.equal(textOf(await accumulate(engine(request))), 'I add.add{"terms": [20, 22]}')
  })

  test('llama() gives the system prompt to the user if the template refuses it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-scripted-'))
    const file = join(folder, 'strict.gguf')
    const strict = [
      `{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}`,
      `{% if messages[0].role != 'user' %}{{ raise_exception('Begin with the user') }}{% endif %}`,
    ].join('')
    writeScriptedModel(file, { first: ['Who?'], until: 'You are Ada.', then: ['Ada.'], rule: strict })
    const engine = llama({ model: file, runtimeFolder })
    t.after(async () => {
      await engine.close()
      await rm(folder, { recursive: true })
    })
    const ask = (role: 'user' | 'assistant'): Promise<Message> =>
      accumulate(
        engine({
          model: 'm',
          max_tokens: 9,
          system: 'You are Ada.',
          messages: [
            { role, content: 'Hello' },
            { role: 'user', content: 'Who are you?' },
          ],
        }),
      )
    assert.deepEqual((await ask('user')).content, [{ type: 'text', text: 'Ada.', citations: null }])
    await assert.rejects(ask('assistant'), {
      status: 400,
      message: /messages: the model's chat template refuses them: .*Begin with the user|System role/,
    })
  })
}

if (hasRuntime(runtimeFolder)) {
  describe('llama() over a scripted model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-scripted-'))
    after(() => rm(folder, { recursive: true }))
    const open = (
      name: string,
      script: Partial<ModelScript> = {},
      options: Partial<LlamaOptions> = {},
    ): LlamaEngine => {
      const file = join(folder, `${name}.gguf`)
      writeScriptedModel(file, { first: ['Hello', ' there.'], until: 'never', then: ['Bye.'], ...script })
      return llama({ model: file, runtimeFolder, ...options })
    }
    const request = { model: 'm', max_tokens: 40, messages: [{ role: 'user' as const, content: 'Hello' }] }

    test('a chat template that cannot be read, or writes nothing, is one sentence', async () => {
      const wrong = open('wrong', { rule: '{% include "x" %}' })
      await assert.rejects(wrong.load(), { message: /Cannot load wrong\.gguf: its chat template is wrong: .*include/ })
      const silent = open('silent', { rule: '{% if false %}', end: '{% endif %}' })
      await assert.rejects(accumulate(silent(request)), { status: 400, message: /chat template writes nothing/ })
      const odd = open('odd', { rule: '\ue0007\ue001' })
      assert.equal(textOf(await accumulate(odd(request))), 'Hello there.')
      for (const engine of [silent, odd]) await engine.close()
    })

    test('thinking that the template opens is a block of its own, and closed for a reply in JSON', async () => {
      const engine = open('opens', { first: ['\n', 'Hm.', '</think>', '\n\n', 'Yes.'], end: "{{ '<think>\n' }}" })
      const { content } = await accumulate(engine(request))
      assert.deepEqual(
        content.map((block) => (block.type === 'thinking' ? [block.thinking] : (block as { text: string }).text)),
        [['Hm.'], 'Yes.'],
      )
      const output_config = { format: { type: 'json_schema' as const, schema: { const: 'a' } } }
      const prefill = { ...request, messages: [...request.messages, { role: 'assistant' as const, content: 'Well' }] }
      for (const params of [{ ...request, output_config }, prefill]) {
        const reply = await accumulate(engine(params))
        assert.deepEqual(
          reply.content.filter(({ type }) => type === 'thinking'),
          [],
        )
        const { input_tokens: closed } = await engine.countTokens!(params)
        assert.ok(closed > (await engine.countTokens!(request)).input_tokens)
      }
      await engine.close()
    })

    test('a call that the window cannot hold is cut off, with its reason', async () => {
      const engine = open('narrow', {}, { contextSize: 600 })
      const input_schema = { type: 'object' as const, properties: {} }
      const tools = [{ name: 'look', input_schema }]
      const fill = async (tokens: number): Promise<typeof request> => {
        const params = { ...request, tools, tool_choice: { type: 'any' as const } }
        const { input_tokens: empty } = await engine.countTokens!(params)
        return { ...params, messages: [{ role: 'user', content: 'Hello' + 'x'.repeat(600 - tokens - empty) }] }
      }
      const roomy = await accumulate(engine(await fill(60)))
      assert.equal(roomy.stop_reason, 'tool_use')
      // The beginning of the call, which the model is made to say, takes 22 tokens and more.
      const narrow = await accumulate(engine(await fill(10)))
      assert.deepEqual([narrow.stop_reason, narrow.usage.output_tokens], ['model_context_window_exceeded', 0])
      await engine.close()
    })

    test('images are refused, since its models read text, in the words of an invalid request', async () => {
      const engine = open('images')
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' }
      const messages = [{ role: 'user' as const, content: [{ type: 'image' as const, source }] }]
      await assert.rejects(accumulate(engine({ ...request, messages })), {
        status: 400,
        message: /messages\.0\.content\.0: this model reads text only, found a block of type 'image'/,
      })
      // The image of a tool would stay in the chat, and every later message would fail.
      const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'look', input: {} }
      const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: messages[0]!.content }
      const withResult = [
        { role: 'user' as const, content: 'Look' },
        { role: 'assistant' as const, content: [call] },
        { role: 'user' as const, content: [result] },
      ]
      assert.ok((await engine.countTokens!({ ...request, messages: withResult })).input_tokens > 0)
      await engine.close()
    })

    test('more requests than may wait are refused', async () => {
      const engine = open('busy', {}, { parallel: 1, maxQueue: 1 })
      const ask = (): Promise<unknown> => accumulate(engine(request))
      const outcomes = await Promise.allSettled([ask(), ask(), ask()])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected'],
      )
      assert.match(String((outcomes[2] as PromiseRejectedResult).reason), /The model is busy: 1 requests wait/)
      await engine.close()
    })

    test('a schema that no grammar can hold is refused before the reply begins', async () => {
      const engine = open('schema')
      const schema = { type: 'string', pattern: '^(?=a)' }
      const input_schema = { type: 'object' as const, properties: { name: schema } }
      for (const params of [
        { output_config: { format: { type: 'json_schema' as const, schema } } },
        { tools: [{ name: 'call', input_schema }], tool_choice: { type: 'any' as const } },
      ]) {
        const events = engine({ ...request, ...params })[Symbol.asyncIterator]()
        await assert.rejects(events.next(), { status: 400, message: /cannot hold the pattern/ })
      }
      const tooComplex = { type: 'string', pattern: '((a{1,1000}){1,1000}){1,1000}' }
      await assert.rejects(
        accumulate(engine({ ...request, output_config: { format: { type: 'json_schema', schema: tooComplex } } })),
        { status: 400, message: /too complex for the grammars/ },
      )
      await engine.close()
    })

    test('grammars of large schemas are read, and hold their values', async () => {
      const engine = open('large')
      const value = async (schema: object): Promise<unknown> => {
        const output_config = { format: { type: 'json_schema' as const, schema: schema as Record<string, unknown> } }
        return JSON.parse(textOf(await accumulate(engine({ ...request, output_config }))))
      }
      const names = Array.from({ length: 3_000 }, (_, index) => `name ${index} \u{1f600}`)
      const items = {
        type: 'array',
        items: { type: 'array', items: { type: 'string', maxLength: 100 }, maxItems: 100 },
      }
      assert.ok(names.includes((await value({ enum: names })) as string))
      assert.ok(Array.isArray(await value({ ...items, maxItems: 100_000 })))
      const properties = Object.fromEntries(names.slice(0, 200).map((name) => [name, { type: 'boolean' }]))
      assert.equal(typeof (await value({ type: 'object', properties })), 'object')
      await engine.close()
    })

    test('a stop sequence also ends a reply in JSON', async () => {
      const engine = open('stop')
      const output_config = { format: { type: 'json_schema' as const, schema: { const: [1, 2, 3] } } }
      const message = await accumulate(engine({ ...request, output_config, stop_sequences: [',2'] }))
      assert.deepEqual([textOf(message), message.stop_reason, message.stop_sequence], ['[1', 'stop_sequence', ',2'])
      await engine.close()
    })

    test('close() ends a reply in flight with an error, and the next request loads the model again', async () => {
      const engine = open('close')
      const events = engine(request)[Symbol.asyncIterator]()
      await events.next()
      await engine.close()
      await assert.rejects(Array.fromAsync({ [Symbol.asyncIterator]: () => events }), {
        message: /The model was closed while it replied\./,
      })
      assert.equal(textOf(await accumulate(engine(request))), 'Hello there.')
      await engine.close()
    })

    test('an abort while the model loads ends the request at once', async () => {
      const engine = open('abort')
      const controller = new AbortController()
      let isLoaded = false
      const first = engine(request, { signal: controller.signal })[Symbol.asyncIterator]().next()
      const loading = engine.load().then(() => (isLoaded = true))
      controller.abort()
      await assert.rejects(first, { name: 'APIUserAbortError' })
      assert.equal(isLoaded, false)
      await loading
      await engine.close()
    })
  })
}

if (path !== undefined) {
  const engine = llama({ model: path, name: 'smollm2', runtimeFolder })
  after(() => engine.close())
  engineContract('llama() in this process', async () => ({ engine }), {
    model: 'smollm2',
    tools: true,
    json: true,
    prefill: true,
    exactCounts: true,
    tooLong,
  })

  test('llama() reads only the new part of a conversation, also of two at once', async () => {
    const say = async (messages: MessageParam[]): Promise<{ read: number; next: MessageParam[] }> => {
      const message = await accumulate(engine({ model: 'smollm2', max_tokens: 12, messages }))
      return {
        read: message.usage.cache_read_input_tokens!,
        next: [...messages, { role: 'assistant', content: message.content }],
      }
    }
    const long = (name: string): MessageParam[] => [
      { role: 'user', content: `My name is ${name}. ${`I like ${name}. `.repeat(20)}` },
    ]
    const [one, two] = [await say(long('Ada')), await say(long('Bob'))]
    const [more, other] = [
      await say([...one.next, { role: 'user', content: 'And?' }]),
      await say([...two.next, { role: 'user', content: 'And?' }]),
    ]
    for (const { read } of [more, other]) assert.ok(read > 80, `${read}`)
  })

  test('llama() takes control tokens in a text for text', async () => {
    const count = async (content: string): Promise<number> =>
      (await engine.countTokens!({ model: 'm', messages: [{ role: 'user', content }] })).input_tokens
    assert.ok((await count('<|im_end|>')) > (await count('x')) + 3)
  })

  test('llama() says in one sentence what is wrong with a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-bad-'))
    const facts = { 'general.architecture': 'llama', 'tokenizer.chat_template': '{{ messages }}' }
    const fileOf = async (name: string, pairs: Record<string, string>, bytes = 0): Promise<string> => {
      const file = join(folder, `${name}.gguf`)
      await writeFile(file, gguf(pairs))
      // A hole: it takes no space on the disk.
      if (bytes > 0) await truncate(file, bytes)
      return file
    }
    const cutHeader = await fileOf('header', facts)
    await truncate(cutHeader, 80)
    for (const [file, message] of [
      [folder, /Cannot load colloquy-bad-\w+: it is a folder\./],
      ['/dev/null', /Cannot load null: it is not a file\./],
      [cutHeader, /Cannot load header\.gguf: its header is damaged or cut off\./],
      ['/nowhere.gguf', /Cannot load nowhere\.gguf: there is no such file\./],
      [import.meta.filename, /Cannot load engines\.test\.ts: it is not a GGUF file\./],
      [await fileOf('base', { 'general.architecture': 'llama' }), /Cannot chat with base\.gguf: it is a base model/],
      [
        await fileOf('huge', facts, 2e12),
        /Cannot load huge\.gguf: it needs about 200\d\.\d GB of memory, and .* are free/,
      ],
      [
        await fileOf('strange', { ...facts, 'general.architecture': 'strange' }),
        /Cannot load strange\.gguf: this runtime does not know its architecture, strange\./,
      ],
      [await fileOf('cut', facts), /Cannot load cut\.gguf: .+/],
    ] as const) {
      await assert.rejects(llama({ model: file, runtimeFolder }).load(), (error: APIError) => {
        assert.match(error.message, message)
        assert.equal(error.headers?.get('x-should-retry'), 'false')
        assert.equal(error.errorCode, 'unusable_model_file')
        return true
      })
    }
    await rm(folder, { recursive: true })
    await assert.rejects(llama({ model: path, runtimeFolder: '/nowhere' }).load(), /npm install node-llama-cpp@3/)
  })

  const server = await startLlamaServer(path)
  if (server) {
    // Also if the contract is filtered out.
    after(server.close)
    engineContract(
      'chatCompletions() before a llama.cpp server',
      async () => ({ engine: chatCompletions({ baseURL: server.baseURL, prefill: true }), close: server.close }),
      // Its template has no tools, so the server ignores tool_choice.
      { model: 'smollm2', json: true, prefill: true, exactCounts: true, tooLong },
    )
  }
}
