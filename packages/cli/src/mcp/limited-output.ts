import { cutText, type ToolResultContent } from 'colloquy/protocol'
import type { ToolOutput } from 'colloquy/tools'

/** The most characters of text in a result. */
const maxOutput = 100_000

/** The output with the text beyond `maxOutput` left out and counted, as every later request would send it again. */
export function limitedOutput(output: ToolOutput): ToolOutput {
  if (!Array.isArray(output) && typeof output !== 'string') return output
  const given: ToolResultContent[] = typeof output === 'string' ? [{ type: 'text', text: output }] : output
  const kept: ToolResultContent[] = []
  let left = maxOutput
  let omitted = 0
  for (const block of given) {
    const text = textOf(block)
    if (text === undefined || left > 0) kept.push(text === undefined ? block : withText(block, cutText(text, left)))
    const length = text?.length ?? 0
    omitted += Math.max(0, length - left)
    left = Math.max(0, left - length)
  }
  return omitted === 0 ? output : [...kept, { type: 'text', text: `(${omitted} more characters)` }]
}

function textOf(block: ToolResultContent): string | undefined {
  if (block.type === 'text') return block.text
  return block.type === 'document' && block.source.type === 'text' ? block.source.data : undefined
}

function withText(block: ToolResultContent, text: string): ToolResultContent {
  if (block.type === 'document' && block.source.type === 'text')
    return { ...block, source: { ...block.source, data: text } }
  return { ...block, text } as ToolResultContent
}
