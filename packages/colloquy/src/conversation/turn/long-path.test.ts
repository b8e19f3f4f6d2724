import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from '../../engines/offline/offline.ts'
import { script } from '../../engines/script.ts'
import { tool } from '../../tools/tool.ts'
import { openConversations } from '../collection/conversations.ts'
import type { ConversationsOptions } from '../collection/options.ts'
import type { SendOptions } from '../conversation.ts'
import type { ConversationSettings } from '../settings.ts'
import { memoryStore } from '../stores/memory/store.ts'
import type { ConversationStore, MessageRecord } from '../stores/store.ts'

interface Circumstances {
  open?: Partial<ConversationsOptions>
  settings?: Partial<ConversationSettings>
  send?: SendOptions
}

const clock = tool({ name: 'clock', description: 'The time', inputSchema: { type: 'object' }, run: () => 'noon' })

/** Everything that a turn may have to do besides the request itself. */
const circumstances: Record<string, Circumstances> = {
  'nothing else': {},
  'a budget': { settings: { budget: { usd: 1_000 } } },
  'a budget that fits': { settings: { budget: { usd: 1_000, tokensPerCall: 100_000, fit: true } } },
  'limits of the store': { open: { limits: { usdPerDay: 1_000, tokensPerDay: 10_000_000 } } },
  'spending that is only counted': { open: { limits: {} } },
  traces: { open: { traces: true } },
  'no cache marks': { open: { cacheMarks: false } },
  'old turns dropped': { settings: { window: { policy: 'drop', atTokens: 100_000 } } },
  'old turns summarized': { settings: { window: { policy: 'summarize', atTokens: 100_000 } } },
  'compaction by the API': { settings: { window: { policy: 'compact', atTokens: 100_000 }, budget: { usd: 1_000 } } },
  'settings of the turn': { send: { max_tokens: 50 }, settings: { budget: { usd: 1_000 } } },
  tools: { send: { tools: [clock] }, settings: { budget: { usd: 1_000 } } },
}

for (const [name, { open, settings, send }] of Object.entries(circumstances)) {
  test(`a turn reads no message again that an earlier one has read: with ${name}`, async () => {
    const { store, reads } = countingReads(memoryStore())
    // An engine that cannot count, so that everything depends on the usage of the last reply.
    const conversations = openConversations({ engine: script([], { otherwise: offline() }), store, ...open })
    const messages = ['Hello', 'Hi'].map((content, at) => ({ role: at === 0 ? 'user' : 'assistant', content }) as const)
    const history = Array.from({ length: 20 }, () => messages).flat()
    const given = { model: 'claude-sonnet-4-6', max_tokens: 100, ...settings, messages: history }
    const { id } = await conversations.create(given)
    const conversation = await conversations.open(id)
    await conversation.send('What is the time?', send)
    assert.ok(reads() >= history.length - 1, 'the first turn reads all messages')
    const before = reads()
    for (const content of ['And now?', 'And then?']) await conversation.send(content, send)
    assert.equal(reads(), before)
  })
}

/** The store, with the number of times that the content of a message of an opened conversation was read. */
function countingReads(store: ConversationStore): { store: ConversationStore; reads: () => number } {
  let reads = 0
  const counted = (record: MessageRecord): MessageRecord => ({
    ...record,
    get json() {
      reads++
      return record.json
    },
  })
  const open: ConversationStore['open'] = async (...args) => {
    const opened = await store.open(...args)
    if (opened === undefined) return undefined
    // The plan for the prompt cache recognizes a path by its first message.
    const [first, ...rest] = opened.messages
    return { ...opened, messages: [first!, ...rest.map(counted)] }
  }
  const watched = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = key === 'open' ? open : Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { store: watched, reads: () => reads }
}
