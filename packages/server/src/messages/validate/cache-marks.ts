import { isThinking, type MessageCountTokensParams } from 'colloquy/protocol'
import { refuse } from './schema.ts'
import { blocksOf, markedEmpty } from './messages.ts'

interface Mark {
  ttl: '5m' | '1h'
  path: string
}

type Block = Record<string, unknown>

/** Checks the cache breakpoints: at most four, and none of an hour after one of five minutes. */
export function* checkCacheMarks(params: MessageCountTokensParams): Generator<void> {
  const marks = yield* marksOf(params)
  const automatic = params.cache_control
  if (automatic) {
    const last = lastCacheable(params)
    const ttl = automatic.ttl ?? '5m'
    const own = last && ttlOf(last)
    if (own && own !== ttl)
      refuse(
        'cache_control',
        `automatic caching with ttl='${ttl}' conflicts with ttl='${own}' on the last cacheable block`,
      )
    if (!own) marks.push({ ttl, path: 'cache_control' })
  }
  if (marks.length > 4) refuse('', `A maximum of 4 blocks with cache_control may be provided. Found ${marks.length}.`)
  const short = marks.findIndex(({ ttl }) => ttl === '5m')
  const late = short < 0 ? undefined : marks.slice(short).find(({ ttl }) => ttl === '1h')
  if (late)
    refuse(
      `${late.path}${late.path.endsWith('cache_control') ? '' : '.cache_control'}.ttl`,
      "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    )
}

function* marksOf({ tools = [], system, messages }: MessageCountTokensParams): Generator<void, Mark[]> {
  const marks = [...marksIn(tools, 'tools'), ...marksIn(Array.isArray(system) ? system : [], 'system')]
  for (const [index, { content }] of messages.entries()) {
    yield
    if (typeof content === 'string') continue
    for (const mark of marksIn(content, `messages.${index}.content`)) marks.push(mark)
  }
  return marks
}

function* marksIn(blocks: readonly object[], path: string): Generator<Mark> {
  for (const [index, block] of (blocks as readonly Block[]).entries()) {
    // Breakpoints inside a block come before its own.
    const inner = innerBlocks(block)
    if (inner) yield* marksIn(inner.blocks, `${path}.${index}.${inner.path}`)
    const ttl = ttlOf(block)
    if (!ttl) continue
    if (block.type === 'text' && block.text === '') refuse(`${path}.${index}.text`, markedEmpty)
    yield { ttl, path: `${path}.${index}` }
  }
}

/** The blocks of a tool result, a search result or a document made of blocks. */
function innerBlocks({ type, content, source }: Block): { blocks: Block[]; path: string } | undefined {
  if (type === 'tool_result' || type === 'search_result')
    return Array.isArray(content) ? { blocks: content as Block[], path: 'content' } : undefined
  const inner = type === 'document' ? (source as Block).content : undefined
  return Array.isArray(inner) ? { blocks: inner as Block[], path: 'source.content' } : undefined
}

function ttlOf(block: object): '5m' | '1h' | undefined {
  const mark = (block as { cache_control?: { ttl?: '5m' | '1h' } | null }).cache_control
  return mark ? (mark.ttl ?? '5m') : undefined
}

function lastCacheable({ tools = [], system, messages }: MessageCountTokensParams): object | undefined {
  const isCacheable = (block: object): boolean => !isThinking(block) && (block as Block).text !== ''
  for (let index = messages.length - 1; index >= 0; index--) {
    const last = blocksOf(messages[index]!).findLast(isCacheable)
    if (last) return last
  }
  return (Array.isArray(system) ? system : []).findLast(isCacheable) ?? tools.findLast(isCacheable)
}
