import { type MessageParam, parseJson } from 'colloquy/protocol'

/** The messages of a stored history. */
export function historyOf(parts: readonly string[]): MessageParam[] {
  return parts.flatMap((part) => parseJson(part) as MessageParam[])
}

interface Marked {
  cache_control?: unknown
  content?: unknown
}

/**
 * Messages without cache breakpoints, as a thread keeps them: those of all requests together would soon exceed the limit of
 * four, and what they have written to the cache can be read without them.
 */
export function withoutMarks(messages: readonly object[]): object[] {
  return messages.map((message) => {
    const { content } = message as Marked
    return Array.isArray(content) ? { ...message, content: content.map(withoutMark) } : message
  })
}

function withoutMark(block: object): object {
  const { cache_control: _, ...rest } = block as Marked
  return Array.isArray(rest.content) ? { ...rest, content: rest.content.map(withoutMark) } : rest
}
