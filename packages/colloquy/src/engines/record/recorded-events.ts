import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'

type Event = MessageStreamEvent | PingEvent

/**
 * An event of a recorded reply. The deltas of a block that follow each other are one event, so that a reader finds the whole
 * text; `pieces` has their lengths.
 */
export type RecordedEvent = MessageStreamEvent & {
  /** The lengths of the deltas, separated by spaces. Absent if there is one. */
  pieces?: string
  /** Milliseconds before each of them, separated by spaces. Absent if the timing was not recorded. */
  ms?: string
}

/** An event, and the milliseconds before it. */
export interface TimedEvent {
  event: MessageStreamEvent
  ms: number
}

/** The fields of deltas that are cut into pieces. */
const textFields: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  input_json_delta: 'partial_json',
}

/** Joins the deltas of each block. Pings are left out: they depend on the clock. The inverse of `timedEvents`. */
export function recordedEvents(events: readonly { event: Event; ms: number }[], hasTiming: boolean): RecordedEvent[] {
  const joined: { event: MessageStreamEvent; lengths: number[]; times: number[] }[] = []
  let waited = 0
  for (const { event, ms } of events) {
    waited += ms
    if (event.type === 'ping') continue
    const before = joined.at(-1)
    if (before && isSameText(before.event, event)) {
      before.event = withText(before.event, textOf(before.event)! + textOf(event)!)
      before.lengths.push(textOf(event)!.length)
      before.times.push(waited)
    } else joined.push({ event, lengths: [textOf(event)?.length ?? 0], times: [waited] })
    waited = 0
  }
  return joined.map(({ event, lengths, times }) => ({
    ...event,
    ...(lengths.length > 1 && { pieces: lengths.join(' ') }),
    ...(hasTiming && { ms: times.map(Math.round).join(' ') }),
  }))
}

/** The events as they were streamed. */
export function* timedEvents(recorded: readonly RecordedEvent[]): Generator<TimedEvent> {
  for (const { pieces, ms, ...event } of recorded) {
    const times = numbersIn(ms)
    if (pieces === undefined) {
      yield { event, ms: times[0] ?? 0 }
      continue
    }
    for (const [index, text] of cut(textOf(event) ?? '', numbersIn(pieces)).entries())
      yield { event: withText(event, text), ms: times[index] ?? 0 }
  }
}

/** The last piece has the rest: the text may have been edited, and secrets removed from it. */
function cut(text: string, lengths: readonly number[]): string[] {
  let start = 0
  return lengths.map((length, index) => {
    const end = index === lengths.length - 1 ? text.length : start + length
    const piece = text.slice(start, end)
    start = end
    return piece
  })
}

function numbersIn(text: string | undefined): number[] {
  if (text === undefined) return []
  const numbers = text.split(' ').map(Number)
  if (numbers.every((number) => number >= 0)) return numbers
  throw new AnthropicError(`Cannot play a recorded event: pieces and ms must be numbers: found ${text.slice(0, 80)}`)
}

/** Whether two events add to the same text. */
function isSameText(a: Event, b: Event): boolean {
  if (a.type !== 'content_block_delta' || b.type !== 'content_block_delta') return false
  return a.index === b.index && a.delta.type === b.delta.type && textOf(a) !== undefined && textOf(b) !== undefined
}

function textOf(event: Event): string | undefined {
  if (event.type !== 'content_block_delta') return undefined
  const field = textFields[event.delta.type]
  const text: unknown = field === undefined ? undefined : (event.delta as unknown as Record<string, unknown>)[field]
  return typeof text === 'string' ? text : undefined
}

function withText(event: MessageStreamEvent, text: string): MessageStreamEvent {
  if (event.type !== 'content_block_delta') return event
  return { ...event, delta: { ...event.delta, [textFields[event.delta.type]!]: text } }
}
