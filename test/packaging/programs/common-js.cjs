// Prints what a CommonJS program gets, as JSON. The arguments are the modules to load instead of the packages' names.
const [client = 'colloquy', tools = 'colloquy/tools', memory = 'colloquy/tools/memory'] = process.argv.slice(2)
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const Anthropic = require(client)
const { tool } = require(tools)
const { MemoryFolder } = require(memory)
const { answer } = require('./answer.cjs')

const request = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }

async function remember() {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-memory-'))
  try {
    const memory = await MemoryFolder.init(folder)
    await memory.create({ command: 'create', path: '/memories/a.txt', file_text: 'tea' })
    return (await memory.view({ command: 'view', path: '/memories/a.txt' })).includes('tea')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function main() {
  const client = new Anthropic({ apiKey: 'any', fetch: answer, maxRetries: 0 })
  const message = await client.messages.create(request)
  const greet = tool({ name: 'greet', description: 'Greets.', inputSchema: { type: 'object' }, run: () => 'Hello' })
  const last = await client.beta.messages.toolRunner({ ...request, tools: [greet] })
  const error = await client.models.retrieve('none').catch((caught) => caught)
  const imported = await import('colloquy')
  const outcome = {
    name: Anthropic.name,
    isItsOwnDefault: Anthropic.default === Anthropic && Anthropic.Anthropic === Anthropic,
    created: message.content[0].text,
    streamed: await client.messages.stream(request).finalText(),
    toolRunner: last.content[0].text,
    remembers: await remember(),
    error: error.name,
    isNotFound: error instanceof Anthropic.NotFoundError && error instanceof Anthropic.APIError,
    isImported: imported.default === Anthropic && imported.APIError === Anthropic.APIError,
  }
  process.stdout.write(JSON.stringify(outcome))
}

void main()
