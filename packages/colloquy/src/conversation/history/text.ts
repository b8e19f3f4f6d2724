/** The readable text of a message: its text blocks and the text of tool results, a line each. */
export function textOf(json: string): string {
  if (json === '') return ''
  const { content } = JSON.parse(json) as { content: unknown }
  return texts(content).join('\n')
}

/**
 * The searchable text of a message, without NUL and lone surrogates, which databases reject. Empty if the JSON is not a
 * message.
 */
export function wordsOf(json: string): string {
  try {
    return textOf(json).toWellFormed().replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function texts(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: { type?: unknown; text?: unknown; content?: unknown } | null) => {
    if (block?.type === 'text' && typeof block.text === 'string') return [block.text]
    return block?.type === 'tool_result' ? texts(block.content) : []
  })
}

const around = 60

/** The text around the first occurrence of the word, on one line. */
export function excerptOf(text: string, word: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(word.toLowerCase()))
  const start = Math.max(0, at - around)
  const end = Math.min(text.length, at + word.length + around)
  const excerpt = text.slice(start, end).toWellFormed().replaceAll(/\s+/g, ' ').trim()
  return `${start > 0 ? '…' : ''}${excerpt}${end < text.length ? '…' : ''}`
}
