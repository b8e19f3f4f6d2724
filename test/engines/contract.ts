import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Engine } from 'colloquy/engines'
import {
  accumulate,
  type Message,
  type MessageCreateParams,
  type MessageStreamEvent,
  type PingEvent,
} from 'colloquy/protocol'

/** The parts of the contract that an engine's model or server has. */
export interface Abilities {
  model: string
  /** Calls tools when `tool_choice` asks for it. */
  tools?: boolean
  /** Holds a reply to a JSON Schema. */
  json?: boolean
  /** Continues a reply whose beginning is the last message. */
  prefill?: boolean
  /** Counts prompts exactly: `count_tokens` is what the reply reports. */
  exactCounts?: boolean
  /** A prompt that is longer than the window. */
  tooLong?: string
}

export interface OpenedEngine {
  engine: Engine
  close?: () => Promise<void>
}

const weather = {
  name: 'weather',
  description: 'The weather of a city',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string', maxLength: 8 } },
    required: ['city'],
  },
}
const time = { name: 'time', description: 'The time in a city', input_schema: weather.input_schema }

/** Runs the contract of all engines. Shapes are asserted, never the words of a model. */
export function engineContract(name: string, open: () => Promise<OpenedEngine>, abilities: Abilities): void {
  describe(name, () => {
    let opened: OpenedEngine
    before(async () => {
      opened = await open()
    })
    after(() => opened.close?.())

    const request = (more: Partial<MessageCreateParams> = {}): MessageCreateParams => ({
      model: abilities.model,
      max_tokens: 12,
      messages: [{ role: 'user', content: 'Count from 1 to 9.' }],
      ...more,
    })
    const reply = async (more: Partial<MessageCreateParams> = {}): Promise<Message> =>
      accumulate(opened.engine(request(more)))

    test('a text comes in the order of events', async () => {
      const events = await Array.fromAsync(opened.engine(request()))
      assertOrder(events)
      const message = await accumulate(events)
      assert.equal(message.role, 'assistant')
      assert.ok(message.content.every(({ type }) => type === 'text'))
      assert.ok(['end_turn', 'max_tokens'].includes(message.stop_reason!))
    })

    test('the history and the system prompt are part of the prompt', async () => {
      const short = promptOf(await reply())
      const withSystem = promptOf(await reply({ system: 'Answer in one short sentence, whatever is asked.' }))
      const messages: MessageCreateParams['messages'] = [
        { role: 'user', content: 'My name is Ada.' },
        { role: 'assistant', content: 'Hello Ada.' },
        { role: 'user', content: 'Count from 1 to 9.' },
      ]
      const withHistory = promptOf(await reply({ messages }))
      assert.ok(withSystem > short - 20 && withHistory > short, `${short}, ${withSystem}, ${withHistory}`)
    })

    test('max_tokens cuts the reply', async () => {
      const message = await reply({ max_tokens: 3 })
      assert.equal(message.stop_reason, 'max_tokens')
      assert.ok(message.usage.output_tokens <= 3)
    })

    test('a stop sequence ends the reply before it', async () => {
      const whole = textOf(await reply({ temperature: 0 }))
      const stop = whole.trim().slice(2, 5)
      const message = await reply({ temperature: 0, stop_sequences: ['never in it', stop] })
      assert.deepEqual([message.stop_reason, message.stop_sequence], ['stop_sequence', stop])
      assert.equal(textOf(message), whole.slice(0, whole.indexOf(stop)))
    })

    test('counts: the prompt is in three parts, and known from the first event on', async () => {
      const events = await Array.fromAsync(opened.engine(request()))
      const message = await accumulate(events)
      const [start] = events as [Extract<MessageStreamEvent, { type: 'message_start' }>]
      assert.ok(promptOf(start.message) > 0 && promptOf(message) > 0 && message.usage.output_tokens > 0)
      if (abilities.exactCounts) {
        const counted = await opened.engine.countTokens!(request())
        assert.deepEqual([promptOf(start.message), promptOf(message)], [counted.input_tokens, counted.input_tokens])
      }
    })

    test('an abort ends the reply soon, before and after the first event', async () => {
      await assert.rejects(async () => accumulate(opened.engine(request(), { signal: AbortSignal.abort() })), isAbort)
      const controller = new AbortController()
      await assert.rejects(async () => {
        for await (const _ of opened.engine(request({ max_tokens: 500 }), { signal: controller.signal }))
          controller.abort()
      }, isAbort)
    })

    test('requests at once do not disturb each other, and one that is left leaves nothing behind', async () => {
      for await (const _ of opened.engine(request())) break
      const messages = await Promise.all([1, 2, 3].map(() => reply({ temperature: 0, max_tokens: 8 })))
      for (const message of messages) assert.ok(textOf(message).length > 0)
      assert.equal(new Set(messages.map(({ id }) => id)).size, 3)
    })

    if (abilities.tools) {
      const asked = [{ role: 'user' as const, content: 'What is the weather in Paris?' }]
      for (const [kind, tool_choice, names] of [
        ['any', { type: 'any' }, ['weather', 'time']],
        ['tool', { type: 'tool', name: 'time' }, ['time']],
      ] as const) {
        test(`tool_choice ${kind} makes a call that fits the schema, and takes its result`, async () => {
          const message = await reply({ messages: asked, tools: [weather, time], tool_choice, max_tokens: 200 })
          assert.equal(message.stop_reason, 'tool_use')
          const calls = message.content.filter((block) => block.type === 'tool_use')
          assert.ok(calls.length > 0)
          for (const { id, name: called, input } of calls) {
            assert.match(id, /^toolu_\w{10,}$/)
            assert.ok((names as readonly string[]).includes(called))
            assert.equal(typeof (input as { city: unknown }).city, 'string')
          }
          const results = calls.map(({ id }) => ({
            type: 'tool_result' as const,
            tool_use_id: id,
            content: '21 degrees',
          }))
          const after = await reply({
            messages: [...asked, { role: 'assistant', content: message.content }, { role: 'user', content: results }],
            tools: [weather, time],
            tool_choice: { type: 'none' },
          })
          assert.ok(after.content.every(({ type }) => type === 'text'))
        })
      }
    }

    if (abilities.json) {
      test('a JSON Schema holds the reply', async () => {
        const schema = {
          type: 'object',
          properties: { city: { enum: ['Paris', 'Rome'] }, size: { enum: ['small', 'large'] } },
          required: ['city', 'size'],
          additionalProperties: false,
        }
        const message = await reply({ output_config: { format: { type: 'json_schema', schema } }, max_tokens: 200 })
        const value = JSON.parse(textOf(message)) as { city: unknown; size: string }
        assert.equal(typeof value.city, 'string')
        assert.ok(['small', 'large'].includes(value.size))
      })
    }

    if (abilities.prefill) {
      test('the beginning of a reply is continued, not repeated', async () => {
        const messages: MessageCreateParams['messages'] = [
          { role: 'user', content: 'What is the capital of France?' },
          { role: 'assistant', content: 'The capital of France' },
        ]
        assert.ok(!textOf(await reply({ messages })).startsWith('The capital of France'))
      })
    }

    if (abilities.tooLong !== undefined) {
      test('a prompt that is too long is refused in the words of the API, before the first event', async () => {
        const seen: string[] = []
        await assert.rejects(
          async () => {
            for await (const { type } of opened.engine(
              request({ messages: [{ role: 'user', content: abilities.tooLong! }] }),
            ))
              seen.push(type)
          },
          { status: 400, message: /prompt is too long: \d+ tokens > \d+ maximum/ },
        )
        assert.deepEqual(seen, [])
      })
    }
  })
}

function isAbort(error: Error): boolean {
  return ['APIUserAbortError', 'AbortError'].includes(error.name)
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

function promptOf({ usage }: Message): number {
  return usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0)
}

/** Checks that blocks open and close one after the other between the first and the last two events. */
function assertOrder(all: readonly (MessageStreamEvent | PingEvent)[]): void {
  const events = all.filter(({ type }) => type !== 'ping') as { type: string; index?: number }[]
  assert.equal(events[0]?.type, 'message_start')
  assert.deepEqual(
    events.slice(-2).map(({ type }) => type),
    ['message_delta', 'message_stop'],
  )
  let open: number | undefined
  let next = 0
  for (const { type, index } of events.slice(1, -2)) {
    if (type === 'content_block_start') {
      assert.deepEqual([open, index], [undefined, next++])
      open = index
    } else assert.equal(index, open)
    if (type === 'content_block_stop') open = undefined
  }
  assert.equal(open, undefined)
}
