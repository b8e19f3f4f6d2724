import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentBlock, StopReason } from '../../protocol/types/message.ts'
import { unlisted } from '../../protocol/types/unlisted.ts'
import type { ArrivedBlock } from './reply-builder.ts'
import { toStoredReply } from './sendable.ts'

const text = (words: string): ContentBlock => ({ type: 'text', text: words, citations: null })
const thinking: ContentBlock = { type: 'thinking', thinking: 'hm', signature: 's' }
const call: ContentBlock = { type: 'tool_use', id: 't1', name: 'look', input: {} }
const search: ContentBlock = { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }
const found: ContentBlock = { type: 'web_search_tool_result', tool_use_id: 's1', content: [] }
const tomorrow = unlisted({ type: 'tomorrow', x: 1 })

interface Case {
  what: string
  stopReason: StopReason | undefined
  blocks: ContentBlock[]
  /** The last block was cut off. */
  cut?: boolean
  input?: string
  sent: ContentBlock[]
}

const cases: Case[] = [
  {
    what: 'a complete reply',
    stopReason: 'end_turn',
    blocks: [thinking, text('a'), tomorrow, text('b')],
    sent: [thinking, text('a'), tomorrow, text('b')],
  },
  {
    what: 'calls that wait for results',
    stopReason: 'tool_use',
    blocks: [thinking, text('a'), call],
    sent: [thinking, text('a'), call],
  },
  { what: 'a pause', stopReason: 'pause_turn', blocks: [text('a'), search], sent: [text('a'), search] },
  { what: 'a refusal', stopReason: 'refusal', blocks: [text('a')], sent: [] },
  { what: 'nothing', stopReason: 'end_turn', blocks: [], sent: [] },
  { what: 'thinking alone', stopReason: 'end_turn', blocks: [thinking], sent: [] },
  { what: 'thinking at the end', stopReason: 'max_tokens', blocks: [text('a'), thinking], sent: [text('a')] },
  { what: 'empty text', stopReason: 'end_turn', blocks: [text(''), text('a'), text(' \n')], sent: [text('a')] },
  {
    what: 'a call that max_tokens cut',
    stopReason: 'max_tokens',
    blocks: [text('a'), call],
    cut: true,
    input: '{"a',
    sent: [text('a')],
  },
  { what: 'a complete call before max_tokens', stopReason: 'max_tokens', blocks: [text('a'), call], sent: [text('a')] },
  {
    what: 'a call with input that is not JSON',
    stopReason: 'tool_use',
    blocks: [text('a'), call],
    input: '{"a',
    sent: [text('a'), { ...call, input: {} }],
  },
  {
    what: 'an interrupted text',
    stopReason: undefined,
    blocks: [thinking, text('a')],
    cut: true,
    sent: [thinking, text('a')],
  },
  { what: 'interrupted thinking', stopReason: undefined, blocks: [text('a'), thinking], cut: true, sent: [text('a')] },
  {
    what: 'an interrupted call',
    stopReason: undefined,
    blocks: [text('a'), call],
    cut: true,
    input: '{"a',
    sent: [text('a')],
  },
  {
    what: 'a call before the interruption',
    stopReason: undefined,
    blocks: [text('a'), call, text('b')],
    cut: true,
    sent: [text('a'), text('b')],
  },
  {
    what: 'a server call with its result',
    stopReason: undefined,
    blocks: [search, found, text('a')],
    cut: true,
    sent: [search, found, text('a')],
  },
  { what: 'a server call without its result', stopReason: undefined, blocks: [text('a'), search], sent: [text('a')] },
  {
    what: 'an interrupted block that is not listed',
    stopReason: undefined,
    blocks: [text('a'), tomorrow],
    cut: true,
    sent: [text('a')],
  },
]

for (const { what, stopReason, blocks, cut = false, input, sent } of cases) {
  test(`toStoredReply() of ${what} sends what the API accepts, and keeps everything`, () => {
    const arrived = blocks.map((block, index): ArrivedBlock => {
      const isLast = index === blocks.length - 1
      return { block, input: isLast ? input : undefined, ended: !(cut && isLast) }
    })
    const { json, received } = toStoredReply(arrived, stopReason)
    assert.equal(json, sent.length === 0 ? '' : JSON.stringify({ role: 'assistant', content: sent }))
    const isSame = sent.length === blocks.length && input === undefined
    assert.equal(received === null, isSame)
    if (received !== null) {
      const { content } = JSON.parse(received) as { content: { type: string }[] }
      assert.deepEqual(
        content.map(({ type }) => type),
        blocks.map(({ type }) => type),
      )
      if (input !== undefined) assert.equal((content.at(-1) as { partial_json?: string }).partial_json, input)
    }
  })
}
