/** A content block, of a type that this page may not know. */
export type AnyBlock = { type: string } & Record<string, unknown>

/** The text of a content, without its other blocks. */
export function textOf(content: string | readonly AnyBlock[]): string {
  if (typeof content === 'string') return content
  return content.flatMap((block) => (block.type === 'text' ? [String(block.text)] : [])).join('\n\n')
}

/** The content of a message as blocks of any type. */
export function contentOf({ content }: { content: unknown }): string | AnyBlock[] {
  return content as string | AnyBlock[]
}
