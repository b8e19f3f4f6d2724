// Uses each installed package from CommonJS.
const Anthropic = require('colloquy')
const { createServer } = require('@colloquy/server')
const { script } = require('colloquy/engines')

const { fetch } = createServer({ engine: script(['Hello.']) })
const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: 'any' })
const messages = [{ role: 'user', content: 'Hi' }]
client.messages
  .create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
  .then(({ content }) => console.log(content[0].text))
