import { type Conversations, memoryStore, openConversations } from 'colloquy/conversation'
import { readTurn } from 'colloquy/conversation/reader'
import { add, clientOf } from './client.ts'
import { type Promises, equal, ok } from './promise.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }

/** The behavior of a conversation in memory in every runtime. */
export const conversationPromises: Promises = {
  'a conversation remembers earlier messages': async (given) => {
    await converse(openConversations({ client: clientOf(given), store: memoryStore() }))
  },
  'a turn delivers its text as it arrives': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create(settings)
    const turn = talk.send('Count to 5.')
    let heard = ''
    for await (const text of turn.text) heard += text
    equal(heard, (await turn).text)
    await conversations.close()
  },
  'a stopped reply is kept as far as it arrived': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create(settings)
    const turn = talk.send(`Slowly ${crypto.randomUUID()}: count to 500.`)
    for await (const text of turn.text) if (text !== '') break
    turn.abort()
    await turn.then(
      () => undefined,
      () => undefined,
    )
    const last = talk.messages.at(-1)
    equal([last?.role, last?.state], ['assistant', 'interrupted'])
    await conversations.close()
  },
  'a page reads a turn, loses the connection and rejoins': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create(settings)
    const turn = talk.send('Count to 20.')
    const lost = readTurn(turn.toResponse())
    let shown = ''
    for await (const text of lost.text) {
      shown += text
      if (shown.length > 3) break
    }
    const headers = { 'last-event-id': lost.lastEventId! }
    const request = new Request('http://colloquy.test/', { headers })
    const rejoined = readTurn(conversations.resume(talk.id, { request }))
    for await (const _ of rejoined) ok(!rejoined.end?.error, 'it ended well')
    const { text } = await turn
    equal(rejoined.message?.content, (await turn).message.content)
    ok(text.startsWith(shown), `${text} begins with ${shown}`)
    await conversations.close()
  },
  'a conversation runs a tool': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create({ ...settings, tools: [add.toJSON()] })
    const { message } = await talk.send('Use add on 4711 and 815.')
    const calls = message.content.filter((block) => block.type === 'tool_use')
    const reply = await talk.send(calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '5526' })))
    ok(reply.text.includes('5526'), `${reply.text} has the result`)
    await conversations.close()
  },
}

/** Runs a conversation of two turns, the same for every store. Returns its id. */
export async function converse(conversations: Conversations): Promise<string> {
  const talk = await conversations.create(settings)
  await talk.send('My name is Ada.')
  const reply = await talk.send('What is my name?')
  equal(reply.text, 'Your name is Ada.')
  ok(talk.cost.picoUsd > 0n, 'it cost something')
  equal((await conversations.search('ADA')).length, 3)
  return talk.id
}
