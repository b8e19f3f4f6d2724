import { continueNote } from '../../../../colloquy/src/conversation/history/interruption.ts'

/** A content block, of a type that this page may not know. */
export type AnyBlock = { type: string } & Record<string, unknown>

/** The text of a content, without its other blocks. */
export function textOf(content: string | readonly AnyBlock[]): string {
  if (typeof content === 'string') return content
  return runsOf(content)
    .filter(([first]) => first?.type === 'text')
    .map((run) => run.map(({ text }) => String(text)).join(''))
    .join('\n\n')
}

/** Whether the block is the result of a tool, and nothing but text. */
export function isTextResult({ type, content }: AnyBlock): boolean {
  const isText = (part: AnyBlock): boolean => part.type === 'text'
  return type === 'tool_result' && (!Array.isArray(content) || (content as AnyBlock[]).every(isText))
}

/** The text of a tool's result. */
export function resultText({ content }: AnyBlock): string {
  return textOf((content ?? '') as string | AnyBlock[])
}

/** The blocks, with those together that are one text: the API cuts a text at its citations, in the middle of a sentence. */
export function runsOf(blocks: readonly AnyBlock[]): AnyBlock[][] {
  const runs: AnyBlock[][] = []
  for (const block of blocks) {
    const last = runs.at(-1)
    if (last && isOneText(last.at(-1)!, block)) last.push(block)
    else runs.push([block])
  }
  return runs
}

function isOneText(before: AnyBlock, after: AnyBlock): boolean {
  if (before.type !== 'text' || after.type !== 'text') return false
  return Array.isArray(before.citations) || Array.isArray(after.citations)
}

/** The content of a message as blocks of any type. */
export function contentOf({ content }: { content: unknown }): string | AnyBlock[] {
  return content as string | AnyBlock[]
}

/** The content of a message as it is shown. The library's text that asks a model to continue stands for a button. */
export function shownContent({ role, content }: { role: string; content: unknown }): string | AnyBlock[] {
  return role === 'user' && content === continueNote ? 'Continue' : contentOf({ content })
}

/** A value as text: JSON with indentation, unless it is text already. */
export function pretty(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '')
}
