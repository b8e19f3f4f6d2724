import { type MessageParam, isServerToolBlock, isThinking } from 'colloquy/protocol'
import { type Block, blocksOf } from './messages.ts'
import { refuse } from './schema.ts'

/** A block and its position in the request. */
interface Placed {
  block: Block
  message: number
  index: number
}

/** Consecutive messages of one role, which the API merges. */
interface Turn {
  role: 'user' | 'assistant'
  blocks: Placed[]
}

/**
 * Checks the rules between messages: which result answers which call, and the position of thinking.
 *
 * @param thinks Whether thinking has a budget. If so, it must be the first block of an assistant message that has any, and of
 *   the one whose tool calls the request answers.
 */
export function* checkTurns(messages: readonly MessageParam[], thinks: boolean): Generator<void> {
  const turns = yield* turnsOf(messages)
  yield* checkCalls(turns)
  yield* checkServerCalls(turns)
  if (!thinks) return
  yield* checkThinkingFirst(messages)
  checkThinkingInToolLoop(turns)
}

function* turnsOf(messages: readonly MessageParam[]): Generator<void, Turn[]> {
  const turns: Turn[] = []
  for (const [at, message] of messages.entries()) {
    if (message.role === 'system') continue
    let turn = turns.at(-1)
    if (turn?.role !== message.role) turns.push((turn = { role: message.role, blocks: [] }))
    for (const [index, block] of blocksOf(message).entries()) turn.blocks.push({ block, message: at, index })
    yield
  }
  return turns
}

/** Checks that each `tool_use` is answered once, at the beginning of the next user turn. */
function* checkCalls(turns: readonly Turn[]): Generator<void> {
  const seen = new Set<string>()
  let open: Placed[] = []
  for (const { role, blocks } of turns) {
    if (role === 'user') {
      checkResults(open, blocks)
      open = []
    } else {
      open = blocks.filter(({ block }) => block.type === 'tool_use')
      for (const { block, message, index } of open) {
        const id = String(block.id)
        if (seen.has(id)) refuse(`messages.${message}.content.${index}`, '`tool_use` ids must be unique')
        seen.add(id)
      }
    }
    yield
  }
  if (open.length > 0) refuseUnanswered(open)
}

function checkResults(calls: readonly Placed[], blocks: readonly Placed[]): void {
  const ids = new Set(calls.map(({ block }) => String(block.id)))
  const answered = new Set<string>()
  let isLeading = true
  for (const { block, message, index } of blocks) {
    if (block.type !== 'tool_result') {
      isLeading = false
      continue
    }
    const id = block.tool_use_id
    const path = `messages.${message}.content.${index}`
    if (!ids.has(id))
      refuse(
        path,
        `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
    if (answered.has(id))
      refuse(path, `each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`)
    // Results after other blocks do not count: the model would read those blocks first.
    if (isLeading) answered.add(id)
  }
  const missing = calls.filter(({ block }) => !answered.has(String(block.id)))
  if (missing.length > 0) refuseUnanswered(missing)
}

function refuseUnanswered(calls: readonly Placed[]): never {
  const first = calls[0]!.message
  const ids = calls.filter(({ message }) => message === first).map(({ block }) => String(block.id))
  refuse(
    `messages.${first}`,
    `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  )
}

/**
 * Checks that each server tool call has its result in the same turn. Only the last turn may have paused. A server tool that
 * was called together with client tools runs after their results, and its own result is in the next assistant turn.
 */
function* checkServerCalls(turns: readonly Turn[]): Generator<void> {
  const called = new Set<unknown>()
  for (const [index, { role, blocks }] of turns.entries()) {
    if (role === 'assistant') {
      checkServerResults(blocks, called)
      if (index < turns.length - 1) checkServerCallsOf(blocks, turns[index + 2])
    }
    yield
  }
}

/** Checks that each result of a server tool has its call before it, and adds the calls to those made so far. */
function checkServerResults(blocks: readonly Placed[], called: Set<unknown>): void {
  for (const { block, message, index } of blocks) {
    const { type, tool_use_id: id } = block
    if (type === 'server_tool_use') called.add(block.id)
    if (!type.endsWith('_tool_result') || type === 'mcp_tool_result' || called.has(id)) continue
    refuse(
      `messages.${message}.content.${index}`,
      `unexpected \`tool_use_id\` found in \`${type}\` blocks: ${String(id)}. Each \`${type}\` block must have a corresponding \`server_tool_use\` block before it.`,
    )
  }
}

function checkServerCallsOf(blocks: readonly Placed[], next: Turn | undefined): void {
  const calls = blocks.filter(({ block }) => block.type === 'server_tool_use')
  if (calls.length === 0) return
  const isDeferred = blocks.some(({ block }) => block.type === 'tool_use')
  if (isDeferred && !next) return
  const results = isDeferred ? [...blocks, ...next!.blocks] : blocks
  const answered = new Set(results.map(({ block }) => block.tool_use_id))
  for (const { block, message } of calls) {
    if (answered.has(block.id)) continue
    const name = String(block.name)
    const result = name.startsWith('tool_search') ? 'tool_search_tool_result' : `${name}_tool_result`
    refuse(
      `messages.${message}`,
      `\`${name}\` tool use with id \`${String(block.id)}\` was found without a corresponding \`${result}\` block`,
    )
  }
}

function* checkThinkingFirst(messages: readonly MessageParam[]): Generator<void> {
  for (const [index, message] of messages.entries()) {
    yield
    if (message.role !== 'assistant') continue
    const blocks = blocksOf(message)
    const first = blocks[0]
    if (!first || isThinking(first) || !blocks.some(isThinking)) continue
    refuse(
      `messages.${index}.content.0`,
      `If an assistant message contains any thinking blocks, the first block must be \`thinking\` or \`redacted_thinking\`. Found \`${first.type}\`.`,
    )
  }
}

/** Checks that the reply that the request continues, or whose tool calls it answers, begins with its thinking. */
function checkThinkingInToolLoop(turns: readonly Turn[]): void {
  const last = turns.at(-1)
  const answersCalls = last?.role === 'user' && last.blocks[0]?.block.type === 'tool_result'
  const reply = answersCalls ? turns.at(-2) : last
  const first = reply?.blocks[0]
  if (reply?.role !== 'assistant' || !first || isThinking(first.block) || first.block.text === '') return
  const found = `Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.block.type}\`.`
  refuse(
    `messages.${first.message}.content.${first.index}.type`,
    `${found} When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking`,
  )
}

/** Checks the positions of system messages, for models that take them. */
export function* checkSystemMessages(messages: readonly MessageParam[]): Generator<void> {
  const next = rolesAfter(messages)
  let before: MessageParam | undefined
  for (const [index, message] of messages.entries()) {
    yield
    if (message.role !== 'system') {
      before = message
      continue
    }
    if (message.content.length === 0 && 'output_config' in message) continue
    if (index === 0) refuse('messages.0', "use the top-level 'system' parameter for the initial system prompt")
    if (before?.role !== 'user' && !(before && endsInServerTool(before)))
      refuse(`messages.${index}`, 'a system message must immediately follow a user turn')
    if (next[index] === 'user')
      refuse(`messages.${index}`, 'a system message must be the last message or be followed by an assistant turn')
  }
}

/** For each message, the role of the next one that is not a system message. */
function rolesAfter(messages: readonly MessageParam[]): (MessageParam['role'] | undefined)[] {
  const roles: (MessageParam['role'] | undefined)[] = []
  let next: MessageParam['role'] | undefined
  for (let index = messages.length - 1; index >= 0; index--) {
    roles.push(next)
    const { role } = messages[index]!
    if (role !== 'system') next = role
  }
  return roles.toReversed()
}

/** Whether the message ends with a server tool's call or result, so that the model can continue it. */
export function endsInServerTool(message: MessageParam): boolean {
  const last = blocksOf(message).at(-1)
  return last !== undefined && isServerToolBlock(last)
}
