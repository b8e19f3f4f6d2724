import type { Message } from '../types/message.ts'

/** The categories of refusals that are billed although nothing was written, since 24 September 2026. */
const billedRefusals: ReadonlySet<unknown> = new Set(['bio', 'frontier_llm', 'reasoning_extraction'])

/**
 * Whether the API bills a reply that has ended. It does not bill a refusal before any output, although the usage has the
 * tokens of its prompt, unless the refusal has one of three categories. A refusal after some output is billed.
 *
 * https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback#how-refusals-are-billed
 *
 * @example
 * ```ts
 * import { isBilled } from 'colloquy/protocol'
 *
 * const refused = { content: [], stop_reason: 'refusal' as const }
 * console.log(isBilled(refused)) // false
 * ```
 */
export function isBilled({
  content,
  stop_reason: reason,
  stop_details: details,
}: Pick<Message, 'stop_reason' | 'stop_details'> & { content: readonly unknown[] }): boolean {
  return reason !== 'refusal' || content.length > 0 || billedRefusals.has(details?.category)
}
