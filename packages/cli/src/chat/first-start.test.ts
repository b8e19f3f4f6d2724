import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { offline } from 'colloquy/engines'
import { startChatServer } from '../../../../test/engines/chat-server.ts'
import { pretendRuntime } from '../../../../test/engines/pretend-runtime.ts'
import { gguf } from '../../../../test/gguf.ts'
import { enter, User } from '../../../../test/terminal-user.ts'
import { VirtualTerminal } from '../../../../test/virtual-terminal.ts'
import { chat } from '../commands/chat/chat.ts'
import { parse } from '../commands/parse.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-first-'))
const servers: Server[] = []
after(async () => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})
process.env['TERM'] = 'xterm-256color'
for (const name of Object.keys(process.env))
  if (/^(?:ANTHROPIC|COLLOQUY|NO_COLOR|CI$)/.test(name)) delete process.env[name]

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

let homes = 0

/** A home in which only the runtime looks installed, and a hub. */
async function atHome(hub: RequestListener): Promise<string> {
  const home = join(folder, String(++homes))
  await pretendRuntime(join(home, 'data/colloquy'))
  process.env['HOME'] = home
  process.env['XDG_DATA_HOME'] = join(home, 'data')
  process.env['XDG_STATE_HOME'] = join(home, 'state')
  process.env['HF_ENDPOINT'] = `http://${await serve(hub)}`
  process.env['OLLAMA_HOST'] = '127.0.0.1:1'
  return home
}

async function sit(words: string[] = []): Promise<User> {
  const { flags, words: prompt } = await parse(['chat', ...words])
  return new User(new VirtualTerminal(100, 30), (input, output) => chat(prompt, flags, { input, output }))
}

const slowHub: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-length': 98_362_432 })
  response.write(Buffer.alloc(10_000_000))
}

test('the prompt is there while a first model downloads, and Ctrl-C lets the offline engine reply', async () => {
  const home = await atHome(slowHub)
  const user = await sit()
  await user.sees(/> Ask anything/)
  await user.sees(/No API key: fetching SmolLM2 135M[^]*Ctrl-C uses the offline engine\./)
  await user.sees(/SmolLM2 135M {2}█+░+ 10 of 98 MB/)
  await user.says('What is 6 * 7?')
  await user.sees(/queued: What is 6 \* 7\?/)
  await user.type('\x03')
  await user.sees(/Stopped: the offline engine replies\.[^]*> What is 6 \* 7\?[^]*6 \* 7 = 42/)
  assert.doesNotMatch(user.terminal.text, /of 98 MB/)
  await user.type('\x04')
  assert.equal(await user.left, 0)
  // The next chat does not begin the download again.
  assert.match(await readFile(join(home, 'data/colloquy/model.json'), 'utf8'), /declined/)
  const again = await sit()
  await again.sees(/offline engine replies: a small program/)
  await again.type('\x04')
  await again.left
})

test('a runtime that cannot be installed ends the download beside it', async (t) => {
  const home = await atHome(slowHub)
  await rm(join(home, 'data/colloquy/runtime'), { recursive: true })
  const path = process.env['PATH']
  process.env['PATH'] = home
  t.after(() => (process.env['PATH'] = path))
  const user = await sit()
  await user.sees(/Cannot install node-llama-cpp: npm is not installed\. The offline engine replies\./)
  await user.says('What is 6 * 7?')
  await user.sees(/6 \* 7 = 42/)
  assert.doesNotMatch(user.terminal.text, /of 98 MB|installing/)
  await user.type('\x04')
  assert.equal(await user.left, 0)
})

test('a model file that is given by hand is read for its window, and needs the runtime', async (t) => {
  const path = join(folder, 'tiny.gguf')
  const facts = { 'general.architecture': 'llama', 'llama.context_length': 512, 'tokenizer.chat_template': '{{ x }}' }
  await writeFile(path, gguf(facts))
  await atHome(slowHub)
  const user = await sit(['-m', path])
  await user.sees(/tiny · on this machine/)
  await user.type(`/set${enter}`)
  await user.sees(/max_tokens +128/)
  await user.type('\x04')
  await user.left
  const home = await atHome(slowHub)
  await rm(join(home, 'data/colloquy/runtime'), { recursive: true })
  const search = process.env['PATH']
  process.env['PATH'] = home
  t.after(() => (process.env['PATH'] = search))
  const another = await sit(['-m', path])
  await another.sees(
    /tiny needs 66 MB to run, which are fetched once\.[^]*Cannot install node-llama-cpp: npm is not installed\./,
  )
  assert.equal(await another.left, 1)
})

test('leaving while a first model downloads keeps what arrived, and the next chat continues', async () => {
  await atHome(slowHub)
  const user = await sit()
  await user.sees(/10 of 98 MB/)
  await user.type('\x04')
  assert.equal(await user.left, 0)
  let range: string | undefined
  process.env['HF_ENDPOINT'] = `http://${await serve((request, response) => {
    range = request.headers.range
    slowHub(request, response)
  })}`
  const again = await sit()
  await again.sees(/of 98 MB/)
  assert.equal(range, 'bytes=10000000-')
  await again.type('\x04')
  await again.left
})

test('/model lists the models of servers and files, and switches between them in one chat', async () => {
  const home = await atHome((_, response) => response.writeHead(404).end())
  const { baseURL, close } = await startChatServer(offline())
  process.env['OLLAMA_HOST'] = await serve((request, response) => {
    if (request.url !== '/api/tags') return response.writeHead(404).end()
    const details = { parameter_size: '7B' }
    return response.end(JSON.stringify({ models: [{ name: 'big:7b', size: 4.5e9, details }] }))
  })
  await mkdir(join(home, 'data/colloquy/models'))
  const file = gguf({
    'general.name': 'Tiny',
    'general.size_label': '135M',
    'tokenizer.chat_template': '{{ messages }}',
  })
  await writeFile(join(home, 'data/colloquy/models/tiny.gguf'), file)
  const user = await sit(['--retries', '0', '--engine', `chat:${baseURL}`, '-m', 'some-model'])
  await user.says('My name is Ada.')
  await user.sees(/context|no price|local/)
  await user.says('/model')
  await user.sees(
    /1 {2}one · 127\.0\.0\.1:\d+[^]*2 {2}ollama\/big:7b · 4\.5 GB · 7 B parameters[^]*3 {2}tiny · 0 MB · 135 M parameters[^]*4 {2}offline/,
  )
  await user.says('/model one')
  await user.sees(/The next reply is by one · 127\.0\.0\.1/)
  await user.says('/model 2')
  await user.sees(/The next reply is by big:7b · ollama on this machine\./)
  await user.says('/model tiny')
  await user.sees(/The next reply is by Tiny · on this machine · fluent, often wrong\./)
  await user.says('/model offline')
  await user.sees(/The next reply is by offline · offline engine\./)
  await user.says('What is my name?')
  await user.sees(/Your name is Ada\./)
  await user.says('/model nonsense')
  await user.sees(/No model nonsense on this machine/)
  await user.says(`/model chat:${baseURL}`)
  await user.sees(/The next reply is by one · 127\.0\.0\.1[^]*The next reply is by one · 127\.0\.0\.1/)
  await user.says('/model claude-opus-5-5')
  await user.type('\x04')
  await user.left
  await close()
  const chosen = { kind: 'chat', url: baseURL, model: 'one' }
  assert.deepEqual(JSON.parse(await readFile(join(home, 'data/colloquy/model.json'), 'utf8')), chosen)
})

test('a chat that was begun with Claude is continued by the model of this machine', async () => {
  await atHome((_, response) => response.writeHead(404).end())
  const { baseURL, close } = await startChatServer(offline())
  const first = await sit(['--engine', 'offline'])
  await first.says('My name is Ada.')
  await first.sees(/context/)
  await first.type('\x04')
  await first.left
  const models = { models: [{ name: 'big:7b', details: { parameter_size: '7B' } }] }
  process.env['OLLAMA_HOST'] = await serve((request, response) => {
    if (request.url === '/api/tags') return response.end(JSON.stringify(models))
    if (request.url !== '/v1/chat/completions') return response.writeHead(404).end()
    return response.writeHead(307, { location: `${baseURL}/chat/completions` }).end()
  })
  const user = await sit(['-c'])
  await user.sees(/using ollama\/big:7b[^]*chat \w+ “My name is Ada\.” · big:7b/)
  await user.type(`/context${enter}`)
  await user.sees(/2 messages · a reply may take/)
  await user.type('\x04')
  await user.left
  await close()
})
