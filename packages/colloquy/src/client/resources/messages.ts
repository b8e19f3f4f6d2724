import { MessageMethods } from './message-methods.ts'

/**
 * `client.messages`
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const request = { model: 'claude-sonnet-4-6', messages }
 * const client = new Anthropic()
 * console.log((await client.messages.countTokens(request)).input_tokens > 5) // true
 * const { content } = await client.messages.create({ ...request, max_tokens: 100 })
 * console.log(content[0]?.type === 'text' && content[0].text) // 6 * 7 = 42
 * ```
 */
export class Messages extends MessageMethods {}
