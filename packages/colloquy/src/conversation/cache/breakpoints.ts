import { hasAttachedJson, jsonOf } from '../../protocol/codec/attached-json.ts'
import type { CacheControlEphemeral } from '../../protocol/types/tool.ts'
import type { ContentBlockParam, MessageParam, TextBlockParam } from '../../protocol/types/params.ts'
import type { RequestSettings } from '../../protocol/models/longest-calls.ts'
import { isBlank, isThinking } from '../../protocol/sendable.ts'
import { endOfString } from '../history/exact/json-members.ts'
import { lazyMessage } from '../history/exact/lazy-message.ts'
import type { CacheTtl } from './cache-policy.ts'

/** A breakpoint finds a cache entry at most this many blocks before it, itself included. */
const lookBack = 20

/**
 * Finds the messages of a request that get a breakpoint. These are the last user message and, if so many blocks were added
 * since the previous request that its cache entry would not be found, the last message of that request. Together with the
 * breakpoint of `withSharedBreakpoint()` these are at most three of the four that the API accepts.
 *
 * @returns indexes in the list.
 */
export function breakpointPlaces(messages: readonly MessageParam[]): number[] {
  const last = placeBefore(messages, messages.length)
  if (last < 0) return []
  const before = placeBefore(messages, last)
  const added = messages.slice(before + 1, last + 1)
  const isFar = before >= 0 && mayHold(added, lookBack) && blocksIn(added) >= lookBack
  return isFar ? [last, before] : [last]
}

/** The last index before `end` whose message can have a breakpoint; -1 if there is none. */
function placeBefore(messages: readonly MessageParam[], end: number): number {
  let place = end - 1
  while (place >= 0 && !canHaveBreakpoint(messages[place]!)) place--
  return place
}

/** Whether the settings have cache breakpoints of their own. Then none are placed automatically. */
export function hasOwnBreakpoints({ cache_control, system, tools }: RequestSettings): boolean {
  if (cache_control) return true
  if (Array.isArray(system) && system.some((block) => block.cache_control)) return true
  return tools?.some((tool) => tool.cache_control) ?? false
}

/** The message, with a breakpoint on its last block that can carry one. */
export function withBreakpoint(message: MessageParam, ttl: CacheTtl): MessageParam {
  const json = textWithBreakpoint(message, ttl)
  if (json !== undefined) return lazyMessage('user', json)
  const cache_control = breakpoint(ttl)
  const { role, content } = message
  if (typeof content === 'string') return { role, content: [{ type: 'text', text: content, cache_control }] }
  const index = content.findLastIndex(canCarry)
  const marked = content.map((block, at) => (at === index ? { ...block, cache_control } : block))
  return { role, content: marked as ContentBlockParam[] }
}

const textStart = '{"role":"user","content":'
/** A user message whose content is a text that begins with a visible character. */
const visibleText = /^{"role":"user","content":"[^\s"\\]/

/** The message with its breakpoint as JSON, without parsing it. Undefined unless the message is a simple text that is stored as JSON. */
function textWithBreakpoint(message: MessageParam, ttl: CacheTtl): string | undefined {
  if (!isVisibleText(message)) return undefined
  const json = jsonOf(message)
  const text = json.slice(textStart.length, -1)
  if (endOfString(text, 0) !== text.length) return undefined
  return `${textStart}[{"type":"text","text":${text},"cache_control":${breakpointJson[ttl]}}]}`
}

function isVisibleText(message: MessageParam): boolean {
  return hasAttachedJson(message) && visibleText.test(jsonOf(message))
}

/**
 * Adds a breakpoint with a lifetime of an hour to the end of the system prompt and tools, which other conversations share.
 *
 * @param minTokens the length of the shortest prefix that is cached: a breakpoint in a shorter one would have no effect.
 */
export function withSharedBreakpoint(settings: RequestSettings, minTokens: number): RequestSettings {
  const { system, tools } = settings
  if (system === undefined && tools === undefined) return settings
  // About four characters make a token. A breakpoint too many costs nothing: a prefix that is too short is not written.
  if (JSON.stringify([system, tools]).length < minTokens * 3) return settings
  const cache_control = breakpoint('1h')
  if (typeof system === 'string' && !isBlank(system)) {
    return { ...settings, system: [{ type: 'text', text: system, cache_control }] }
  }
  if (Array.isArray(system)) {
    const index = system.findLastIndex(canCarry)
    const marked = system.map((block, at): TextBlockParam => (at === index ? { ...block, cache_control } : block))
    if (index >= 0) return { ...settings, system: marked }
  }
  const index = tools?.findLastIndex((tool) => !('defer_loading' in tool && tool.defer_loading)) ?? -1
  if (tools === undefined || index < 0) return settings
  return { ...settings, tools: tools.map((tool, at) => (at === index ? { ...tool, cache_control } : tool)) }
}

/** Breakpoints are placed on user messages only: a reply's blocks are sent back unchanged. */
function canHaveBreakpoint(message: MessageParam): boolean {
  if (message.role !== 'user') return false
  if (isVisibleText(message)) return true
  const { content } = message
  return typeof content === 'string' ? !isBlank(content) : content.some(canCarry)
}

/** The API accepts no breakpoint on thinking and empty text. */
function canCarry(block: ContentBlockParam): boolean {
  return !isThinking(block) && (block.type !== 'text' || !isBlank(block.text))
}

/** Whether the messages may have this many blocks. Stored JSON is not parsed for that: each block names its type. */
function mayHold(messages: readonly MessageParam[], count: number): boolean {
  let most = 0
  for (const message of messages) {
    if (!hasAttachedJson(message)) return true
    const json = jsonOf(message)
    most++
    for (let at = json.indexOf('"type"'); at >= 0 && most < count; at = json.indexOf('"type"', at + 1)) most++
  }
  return most >= count
}

/**
 * Counts the blocks. The API counts a run of tool calls, or of their results, as one block, and other platforms count each.
 * Here each counts: where a run is one block, this places a breakpoint that was not needed, which costs nothing.
 */
function blocksIn(messages: readonly MessageParam[]): number {
  return messages.reduce((sum, { content }) => sum + (typeof content === 'string' ? 1 : content.length), 0)
}

function breakpoint(ttl: CacheTtl): CacheControlEphemeral {
  return ttl === '5m' ? { type: 'ephemeral' } : { type: 'ephemeral', ttl }
}

const breakpointJson = { '5m': JSON.stringify(breakpoint('5m')), '1h': JSON.stringify(breakpoint('1h')) }
