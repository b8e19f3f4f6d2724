import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openConversations } from 'colloquy/conversation'
import { script } from 'colloquy/engines'
import { exportChat } from './transcript.ts'

test('exportChat() writes Continue in place of the text that asks a model to continue', async () => {
  const engine = script([{ content: 'One, two', stop_reason: 'max_tokens' }, ', three.'])
  const chats = openConversations({ engine })
  const chat = await chats.create({ model: 'claude-opus-4-8', max_tokens: 10 })
  await chat.send('Count')
  await chat.continue()
  for (const format of ['md', 'html'] as const) {
    const text = await exportChat(chats, chat, format)
    assert.match(text, /Continue\b/)
    assert.doesNotMatch(text, /cut off/)
  }
  // The exact formats keep it.
  assert.match(await exportChat(chats, chat, 'jsonl'), /cut off/)
  await chats.close()
})
