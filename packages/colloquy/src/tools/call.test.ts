import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { APIUserAbortError, type Message, type ToolUseBlock } from '../protocol/index.ts'
import { answerCall, answerCalls, nextStep } from './call.ts'
import { type Runnable, type RunnableTool, type ToolOutput } from './runnable.ts'
import { ToolError } from './tool-error.ts'
import { tool } from './tool.ts'

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const

function call(name: string, input: unknown = { city: 'Nara' }, id = 'toolu_1'): ToolUseBlock {
  return { type: 'tool_use', id, name, input }
}

function toolThat(run: RunnableTool<{ city: string }>['run'], more: { timeoutMs?: number } = {}): RunnableTool {
  return tool({ name: 'weather', inputSchema: place, run, ...more })
}

function reply(stop_reason: Message['stop_reason'], ...content: Message['content']): Message {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
  }
}

test('answerCall() writes a list as JSON unless it is content of a tool result', async () => {
  const rows = [{ type: 'order', id: 1 }]
  const text = [{ type: 'text', text: 'sun' }]
  const odd = [
    { type: 'text', text: 5 },
    { type: 'image', source: null },
  ]
  for (const [output, content] of [
    [rows, JSON.stringify(rows)],
    [odd, JSON.stringify(odd)],
    [text, text],
    [[], []],
  ])
    assert.deepEqual((await answerCall(call('weather'), [toolThat(() => output as never)])).content, content)
})

test('answerCall() passes input and call to the tool and returns its result', async () => {
  let seen: unknown
  const weather = toolThat((input, { toolUse, toolUseBlock, signal }) => {
    seen = [input, toolUse, toolUseBlock, signal.aborted]
    return 'sun'
  })
  const made = call('weather')
  assert.deepEqual(await answerCall(made, [weather]), { type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' })
  assert.deepEqual(seen, [{ city: 'Nara' }, made, made, false])
  // A call of a toolset's member is not for a tool of the same name.
  assert.deepEqual(await answerCall({ ...made, toolset_name: 'set' }, [weather]), {
    type: 'tool_result',
    tool_use_id: 'toolu_1',
    toolset_name: 'set',
    content: "Error: Toolset 'set' member 'weather' not found",
    is_error: true,
  })
})

test('answerCall() returns text and blocks unchanged, nothing as empty, and values as JSON', async () => {
  const blocks = [{ type: 'text' as const, text: 'sun' }]
  const outputs: Array<[ToolOutput, unknown]> = [
    ['', ''],
    [blocks, blocks],
    [undefined, undefined],
    [null, undefined],
    [7, '7'],
    [{ sky: 'clear' }, '{"sky":"clear"}'],
    [['a', 'b'], '["a","b"]'],
  ]
  for (const [output, content] of outputs) {
    const result = await answerCall(call('weather'), [toolThat(() => output)])
    assert.deepEqual(result.content, content)
    assert.equal(result.is_error, undefined)
  }
})

test('answerCall() returns errors as results that the model reads', async () => {
  const fails = (error: unknown): RunnableTool =>
    toolThat(async () => {
      throw error as Error
    })
  const picture = [{ type: 'text' as const, text: 'no sun' }]
  const circle: { self?: object } = {}
  circle.self = circle
  for (const [tools, made, content] of [
    [[], call('weather'), "Error: Tool 'weather' not found"],
    [
      [toolThat(() => '')],
      call('weather', { city: 3 }),
      'Error: Schema validation failed with 1 issue(s):\n  - city: must be a string: found 3',
    ],
    [[fails(new Error('no station'))], call('weather'), 'Error: no station'],
    [[fails('no station')], call('weather'), 'Error: no station'],
    [[fails(new ToolError('station closed'))], call('weather'), 'station closed'],
    [[fails(new ToolError(picture))], call('weather'), picture],
    // The API refuses an error without content.
    [[fails(new ToolError(''))], call('weather'), 'The tool failed without a message.'],
    [[fails(new ToolError([]))], call('weather'), 'The tool failed without a message.'],
    [[fails(new ToolError(' \n'))], call('weather'), 'The tool failed without a message.'],
    [[fails(new ToolError([{ type: 'text', text: ' ' }]))], call('weather'), 'The tool failed without a message.'],
  ] as const) {
    const result = await answerCall(made, tools)
    assert.deepEqual(result, { type: 'tool_result', tool_use_id: 'toolu_1', content, is_error: true })
  }
  const thrown = await answerCall(call('weather'), [
    toolThat(() => {
      throw new TypeError('at once')
    }),
  ])
  assert.equal(thrown.content, 'Error: at once')
  const endless = await answerCall(call('weather'), [toolThat(() => circle)])
  assert.match(endless.content as string, /^Error: Converting circular structure/)
  assert.equal(endless.is_error, true)
})

test('answerCall() never passes a tool an input that is not an object', async () => {
  let ran = 0
  const unchecked: RunnableTool = { name: 'weather', input_schema: { type: 'object' }, run: () => void ran++ }
  for (const input of ['{"city":"Na', null, [1], 7, undefined]) {
    const result = await answerCall(call('weather', input ?? null), [unchecked])
    assert.equal(result.is_error, true)
    assert.match(result.content as string, /^Error: /)
  }
  assert.equal(ran, 0)
})

test('answerCall() aborts a call after timeoutMs and does not wait for it', async () => {
  let told: Promise<unknown> | undefined
  const slow = toolThat((_input, { signal }) => {
    told = once(signal, 'abort')
    return new Promise<string>(() => {})
  })
  const result = await answerCall(call('weather'), [slow], { timeoutMs: 5 })
  assert.equal(result.content, "Error: Tool 'weather' did not finish within 5 ms")
  assert.equal(result.is_error, true)
  await told
})

test("a tool's own limit stands over the loop's, and no limit is a limit too", async () => {
  const patient = toolThat(() => sleep(20, 'done'), { timeoutMs: 60_000 })
  assert.equal((await answerCall(call('weather'), [patient], { timeoutMs: 1 })).content, 'done')
  assert.equal(
    (await answerCall(call('weather'), [toolThat(() => sleep(5, 'done'))], { timeoutMs: Infinity })).content,
    'done',
  )
  assert.equal(
    (await answerCall(call('weather'), [toolThat(() => sleep(5, 'done'))], { timeoutMs: 2 ** 31 })).content,
    'done',
  )
})

test('answerCall() rejects at once when aborted, aborts the tool, and removes its listener', async () => {
  const controller = new AbortController()
  let reason: unknown
  const slow = toolThat((_input, { signal }) => {
    signal.addEventListener('abort', () => (reason = signal.reason))
    // A tool that fails because of the abort does not turn it into a result.
    return once(signal, 'abort').then(() => Promise.reject(new Error('cut')))
  })
  const answered = answerCall(call('weather'), [slow], { signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 5)
  await assert.rejects(
    answered,
    (error) => error instanceof APIUserAbortError && (error.cause as Error).message === 'enough',
  )
  assert.ok(reason instanceof APIUserAbortError)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  await assert.rejects(answerCall(call('weather'), [slow], { signal: controller.signal }), APIUserAbortError)
})

test('answerCall() leaves no listeners on a shared signal', async () => {
  const { signal } = new AbortController()
  const weather = toolThat(() => 'sun')
  for (let round = 0; round < 100; round++) await answerCall(call('weather'), [weather], { signal })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('approve() is called for valid calls only, and the model reads its reason', async () => {
  const asked: unknown[] = []
  let ran = 0
  const weather = toolThat(() => void ran++)
  const verdict = (value: boolean | string) => ({
    approve: (call: ToolUseBlock, { tool }: { tool: Runnable }) => {
      asked.push([call.name, call.input, tool.name])
      return Promise.resolve(value)
    },
  })
  assert.equal((await answerCall(call('weather', {}), [weather], verdict(true))).is_error, true)
  assert.deepEqual(asked, [])
  const no = await answerCall(call('weather'), [weather], verdict(false))
  assert.deepEqual([no.content, no.is_error], ["Error: The call of tool 'weather' was declined", true])
  const why = await answerCall(call('weather'), [weather], verdict('not on Sundays'))
  assert.equal(why.content, "Error: The call of tool 'weather' was declined: not on Sundays")
  assert.equal(ran, 0)
  await answerCall(call('weather'), [weather], verdict(true))
  assert.equal(ran, 1)
  assert.deepEqual(asked.at(-1), ['weather', { city: 'Nara' }, 'weather'])
})

async function failing(): Promise<boolean> {
  throw new Error('window closed')
}

test('answerCall() rejects if approve() throws', async () => {
  await assert.rejects(answerCall(call('weather'), [toolThat(() => '')], { approve: failing }), {
    message: 'window closed',
  })
})

test('answerCalls() runs calls concurrently and returns results in their order', async () => {
  let running = 0
  let most = 0
  const weather = toolThat(async ({ city }) => {
    most = Math.max(most, ++running)
    await sleep(city.length)
    running--
    return city
  })
  const cities = ['Yokohama', 'Nara', 'Kyoto']
  const calls = cities.map((city, index) => call('weather', { city }, `toolu_${index}`))
  const message = await answerCalls([...calls, call('none', {}, 'toolu_x')], [weather])
  assert.deepEqual(message, {
    role: 'user',
    content: [
      ...cities.map((content, index) => ({ type: 'tool_result', tool_use_id: `toolu_${index}`, content })),
      { type: 'tool_result', tool_use_id: 'toolu_x', content: "Error: Tool 'none' not found", is_error: true },
    ],
  })
  assert.equal(most, 3)
})

test('answerCall() leaves out parts without a visible character, which the API refuses', async () => {
  const blank = { type: 'text' as const, text: '\n' }
  const seen = { type: 'text' as const, text: 'rain' }
  assert.deepEqual((await answerCall(call('weather'), [toolThat(() => [blank, seen])])).content, [seen])
  assert.deepEqual((await answerCall(call('weather'), [toolThat(() => [blank])])).content, [])
})

test('nextStep() maps each stop reason to a step', () => {
  const text = { type: 'text' as const, text: 'hm', citations: null }
  const one = call('weather')
  assert.deepEqual(nextStep(reply('tool_use', text, one)), { type: 'call', calls: [one] })
  assert.deepEqual(nextStep(reply('tool_use', text)), { type: 'stop' })
  assert.deepEqual(nextStep(reply('pause_turn', text)), { type: 'resume' })
  assert.deepEqual(nextStep(reply('compaction')), { type: 'resume' })
  for (const reason of [
    'end_turn',
    'max_tokens',
    'stop_sequence',
    'refusal',
    'model_context_window_exceeded',
    'new',
    null,
  ])
    assert.deepEqual(nextStep(reply(reason, one)), { type: 'stop' })
})
