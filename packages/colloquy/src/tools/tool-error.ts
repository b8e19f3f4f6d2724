import { AnthropicError } from '../protocol/types/error.ts'
import type { ToolResultContent } from '../protocol/types/params.ts'

/**
 * Throw it in a tool's `run` to answer with content blocks, or with a text that gets no `Error:` prefix.
 *
 * @example
 * ```ts
 * import { tool, ToolError } from 'colloquy/tools'
 *
 * const screenshot = tool({
 *   name: 'screenshot',
 *   description: 'A picture of the page.',
 *   inputSchema: { type: 'object' },
 *   run: () => {
 *     throw new ToolError([{ type: 'text', text: 'The page is still loading. Try again in a second.' }])
 *   },
 * })
 * console.log(screenshot.name) // screenshot
 * ```
 */
export class ToolError extends AnthropicError {
  override name = 'ToolError'
  declare readonly content: string | ToolResultContent[]

  constructor(content: string | ToolResultContent[], options?: { cause?: unknown }) {
    super(typeof content === 'string' ? content : content.map(textOf).join(' '), options)
    this.content = content
  }
}

function textOf(block: ToolResultContent): string {
  return block.type === 'text' ? (block as { text: string }).text : `[${block.type}]`
}
