import { type Conversations, memoryStore, openConversations } from 'colloquy/conversation'
import { add, clientOf } from './client.ts'
import { type Promises, equal, ok } from './promise.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }

/** What a conversation in memory does wherever it runs. */
export const conversationPromises: Promises = {
  'a conversation remembers what was said': async (given) => {
    await converse(openConversations({ client: clientOf(given), store: memoryStore() }))
  },
  'a turn gives its text while it comes': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create(settings)
    const turn = talk.send('Count to 5.')
    let heard = ''
    for await (const text of turn.text) heard += text
    equal(heard, (await turn).text)
    await conversations.close()
  },
  'a reply that is stopped is kept as far as it came': async (given) => {
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
  'a tool is called and answered in a conversation': async (given) => {
    const conversations = openConversations({ client: clientOf(given) })
    const talk = await conversations.create({ ...settings, tools: [add.toJSON()] })
    const { message } = await talk.send('Use add on 4711 and 815.')
    const calls = message.content.filter((block) => block.type === 'tool_use')
    const reply = await talk.send(calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '5526' })))
    ok(reply.text.includes('5526'), `${reply.text} has the result`)
    await conversations.close()
  },
}

/** A talk of two turns, as it is held with every store. Gives its id. */
export async function converse(conversations: Conversations): Promise<string> {
  const talk = await conversations.create(settings)
  await talk.send('My name is Ada.')
  const reply = await talk.send('What is my name?')
  equal(reply.text, 'Your name is Ada.')
  ok(talk.cost.picoUsd > 0n, 'it cost something')
  equal((await conversations.search('ADA')).length, 3)
  return talk.id
}
