import assert from 'node:assert/strict'
import test from 'node:test'
import { openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { ReplyProgress } from './reply-progress.ts'
import { replyNotes, type TurnFacts } from './turn-report.ts'

test('replyNotes() says when the beginning of a chat is no longer sent, and again when more of it is not', async () => {
  const conversations = openConversations({ engine: offline() })
  const conversation = await conversations.create({
    model: 'x',
    max_tokens: 100,
    window: { policy: 'drop', atTokens: 150 },
  })
  const facts: TurnFacts = {
    conversation,
    progress: new ReplyProgress(),
    engine: { kind: 'chat', url: 'http://127.0.0.1:1/v1', model: 'x', window: 2_000 },
    leftOut: 0,
    keyAdvice: '',
  }
  const said: string[][] = []
  for (let turn = 0; turn < 16; turn++) {
    const reply = await conversation.send('What is 6 * 7?')
    said.push((await replyNotes(reply, facts, 'full')).filter((line) => line !== ''))
    facts.leftOut = reply.window?.dropped ?? 0
  }
  const notes = said.map((lines) => lines.slice(0, -1)).filter((lines) => lines.length > 0)
  assert.deepEqual(
    notes.map(([line]) => line!.replace(/\d+/, 'N')),
    notes.map(() => 'the window is full: the first N messages are no longer sent · /new'),
  )
  const counts = notes.map(([line]) => Number(/\d+/.exec(line!)![0]))
  assert.ok(counts.length >= 2 && counts.length < 15, counts.join())
  assert.deepEqual(
    counts,
    [...new Set(counts)].toSorted((a, b) => a - b),
  )
  assert.match(said.at(-1)!.at(-1)!, / · local · context \d+%$/)
  await conversations.close()
})
