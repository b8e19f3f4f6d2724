import { type MessageStreamEvent, MessageAccumulator, replay } from 'colloquy/protocol'
import { format, measure } from './run.ts'

/** The cost of a tool input in pieces of 20 characters: to have it at the end, and to read it after every piece. */
export async function* report(): AsyncGenerator<string> {
  for (const kilobytes of [10, 100, 1_000]) {
    const input = inputOf(kilobytes)
    const events = eventsOf(input)
    const result = await measure({
      title: `tool input of ${kilobytes} kB`,
      work: { count: kilobytes, of: 'kB' },
      contestants: [
        { name: 'concatenated, parsed once', run: () => byHand(events) },
        { name: 'MessageAccumulator', run: () => accumulated(events, false) },
        { name: 'looked at after each piece', run: () => accumulated(events, true) },
      ],
    })
    yield format(result)
  }
}

function byHand(events: readonly MessageStreamEvent[]): number {
  let text = ''
  for (const event of events) {
    if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta')
      text += event.delta.partial_json
  }
  return sizeOf(JSON.parse(text))
}

function accumulated(events: readonly MessageStreamEvent[], isWatched: boolean): number {
  const accumulator = new MessageAccumulator()
  let looks = 0
  for (const event of events) {
    accumulator.push(event)
    if (isWatched && accumulator.message) looks++
  }
  const [block] = accumulator.message?.content ?? []
  return looks >= 0 && block?.type === 'tool_use' ? sizeOf(block.input) : 0
}

function sizeOf(input: unknown): number {
  const { lines, code } = input as ReturnType<typeof inputOf>
  return lines.length + code.length
}

/**
 * Returns an input that is half a list of objects and half one long string with escapes, like the content of a file.
 */
function inputOf(kilobytes: number): { lines: object[]; code: string } {
  const count = kilobytes * 10
  return {
    lines: Array.from({ length: count }, (_, index) => ({ line: index, text: `naïve ${index} "text"` })),
    code: '  return x + y\n'.repeat(kilobytes * 31),
  }
}

function eventsOf(input: unknown): MessageStreamEvent[] {
  const usage = { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
  return [
    ...replay({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5-5',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'write', input }],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage,
    }),
  ]
}
