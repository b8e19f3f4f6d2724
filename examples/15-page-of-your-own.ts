// Streams a turn to a page. The page loses its connection, and rejoins the turn where it was.
import Anthropic from 'colloquy'
import { openConversations } from 'colloquy/conversation'
import { readTurn } from 'colloquy/conversation/reader'
import { Hono } from 'hono'

const conversations = openConversations({ client: new Anthropic() })
const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }

// The server. The turn runs to its end, whether or not a page reads it.
const app = new Hono()
app.post('/chats/:id', async (c) => {
  const chat = await conversations.openOrCreate({ id: c.req.param('id'), ...settings })
  return chat.send(await c.req.text()).toResponse({ request: c.req.raw })
})
app.get('/chats/:id', (c) => conversations.resume(c.req.param('id'), { request: c.req.raw }))
app.delete('/chats/:id', async (c) => c.json({ stopped: await conversations.stop(c.req.param('id')) }))

// The page. In a browser `app.request` is `fetch`.
const path = '/chats/trip'
const lost = readTurn(app.request(path, { method: 'POST', body: 'Tell me about conversations.' }))
let shown = ''
for await (const text of lost.text) {
  shown += text
  if (shown.length > 20) break
}
console.log(`${shown}…`)

const headers = { 'last-event-id': lost.lastEventId! }
const turn = readTurn(app.request(path, { headers }), {
  // A connection that breaks again is restored by itself.
  resume: async (id) => app.request(path, { headers: { 'last-event-id': id ?? headers['last-event-id'] } }),
})
for await (const event of turn) if (event.type === 'turn_end') console.log('stopped:', event.stopped)
console.log(turn.message?.state, turn.message?.content)
