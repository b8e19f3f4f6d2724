// Uses each installed package from an ES module.
import { createServer } from '@colloquy/server'
import { testServer } from '@colloquy/server/testing'
import Anthropic from 'colloquy'
import { openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { offline } from 'colloquy/engines'

const { fetch } = createServer({ engine: offline() })
const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: 'any' })
const conversations = openConversations({ client, store: sqliteStore('whole.db') })
const chat = await conversations.openOrCreate({ id: 'sums', model: 'claude-sonnet-4-6', max_tokens: 100 })
const { text } = await chat.send('What is 6 * 7?')
await conversations.close()
const server = await testServer({ script: ['Hello.'] })
const onPort = new Anthropic({ baseURL: server.url, apiKey: 'any' })
const messages = [{ role: 'user', content: 'Hi' }]
const { content } = await onPort.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
await server.close()
console.log(JSON.stringify([text, content[0].text]))
