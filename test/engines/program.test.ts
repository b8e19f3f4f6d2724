import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { type Engine, offline } from 'colloquy/engines'
import { gguf } from '../gguf.ts'
import { startChatServer } from './chat-server.ts'
import { localModel, runtimeFolder } from './local-model.ts'
import { pretendRuntime } from './pretend-runtime.ts'
import { builtProgram } from '../built-program.ts'
import { programEnvironment } from '../program-environment.ts'

// Before the tests: the runner ends a file whose tests have ended while it waits between two of them.
const path = await localModel()
const home = await mkdtemp(join(tmpdir(), 'colloquy-models-'))
after(() => rm(home, { recursive: true, force: true }))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

function colloquy(words: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [builtProgram, ...words],
      { env: { ...programEnvironment, HOME: home, ...env } },
      (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
    child.stdin!.end()
  })
}

/** Starts a program that serves, ends it, and returns the screen that it printed. */
async function screenOf(words: string[], env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [builtProgram, ...words], {
    env: { ...programEnvironment, HOME: home, ...env },
  })
  let screen = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (screen += piece))
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    screen += piece
    if (screen.includes('  Data ')) child.kill('SIGTERM')
  })
  await once(child, 'close')
  return screen
}

/** A GGUF header that says that it is a chat model. */
const chatModel = gguf({ 'general.name': 'Tiny', 'tokenizer.chat_template': '{{ messages }}' })

/** An environment with its own home and, if it is wanted, a runtime that only looks like one. */
async function freshHome({ hasRuntime = false } = {}): Promise<{ HOME: string; data: string }> {
  const HOME = await mkdtemp(join(home, 'home-'))
  const data = join(HOME, '.local/share/colloquy')
  if (hasRuntime) await pretendRuntime(data)
  return { HOME, data }
}

const servers: Server[] = []
after(() => servers.forEach((server) => server.closeAllConnections()))
after(() => servers.forEach((server) => server.close()))

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).unref()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An Ollama with one model, which the offline engine plays. */
async function startOllama(): Promise<{ OLLAMA_HOST: string; asked: string[]; close: () => Promise<void> }> {
  const { baseURL, close } = await startChatServer(offline())
  const asked: string[] = []
  const OLLAMA_HOST = await serve((request, response) => {
    if (request.url === '/api/tags') {
      const details = { parameter_size: '1.2B' }
      return response.end(JSON.stringify({ models: [{ name: 'llama3.2:1b', size: 1_321_098_329, details }] }))
    }
    if (request.url === '/api/show') return response.end('{"license":"LLAMA 3.2"}')
    return void forward(request, `${baseURL}${request.url!.slice('/v1'.length)}`, response, asked)
  })
  return { OLLAMA_HOST, asked, close }
}

async function forward(
  request: IncomingMessage,
  url: string,
  response: ServerResponse,
  asked: string[],
): Promise<void> {
  const body = await text(request)
  asked.push((JSON.parse(body) as { model: string }).model)
  const answer = await fetch(url, { method: 'POST', body })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  response.end(await answer.text())
}

test('--engine chat:URL asks a Chat Completions server for its only model', async () => {
  const asked = new Set<string>()
  const recorded: Engine = (params) => {
    asked.add(params.model)
    return offline()(params)
  }
  const { baseURL, close } = await startChatServer(recorded, { models: ['qwen3:8b'] })
  const { code, stdout, stderr } = await colloquy(['ask', '--no-save', '--engine', `chat:${baseURL}`, 'What is 6 * 7?'])
  await close()
  assert.deepEqual([code, stdout, stderr, ...asked], [0, '6 * 7 = 42\n', '', 'qwen3:8b'])
})

test('an engine that does not exist, and a model that is not there, are one sentence', async () => {
  const wrong = await colloquy(['ask', '--engine', 'nonsense', 'Hi'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /^Cannot use --engine nonsense: it must be api, offline, local/m)
  for (const flag of ['--engine', '--model']) {
    const missing = await colloquy(['ask', flag, '/nowhere/x.gguf', 'Hi'])
    assert.deepEqual(
      [missing.code, missing.stderr.split('\n')[0]],
      [2, 'Cannot use /nowhere/x.gguf: there is no such file'],
    )
  }
  const none = await colloquy(['ask', '--engine', 'local', 'Hi'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /no model has been chosen/)
})

test('models local lists what is here and what can be fetched; get, use and remove refuse other names', async () => {
  const named = await colloquy(['models', 'smollm2', '1.7b'])
  assert.match(named.stdout, /^To fetch, with \S+ models get NAME:\n {2}smollm2-1\.7b · [^\n]+\n$/)
  const { code, stdout } = await colloquy(['models', 'local'])
  assert.equal(code, 0)
  assert.match(stdout, /No model was found on this machine\./)
  assert.match(stdout, /smollm2 · SmolLM2 135M · 98 MB · Apache-2\.0$/m)
  assert.match(stdout, /qwen2\.5-1\.5b .* not tried by us$/m)
  for (const words of [
    ['get', 'nonsense'],
    ['use', 'nonsense'],
    ['remove', 'nonsense'],
  ]) {
    const refused = await colloquy(['models', ...words])
    assert.equal(refused.code, 2, refused.stderr)
    assert.match(refused.stderr, /nonsense|none that was fetched/)
  }
})

test('web and serve --open reply with the engine of a chat, also in a pipe', async () => {
  const { OLLAMA_HOST, close } = await startOllama()
  after(close)
  for (const words of [['web'], ['serve', '--open']]) {
    const { HOME } = await freshHome()
    const found = await screenOf([...words, '--port', '0'], { HOME, OLLAMA_HOST })
    assert.match(
      found,
      /No API key: using ollama\/llama3\.2:1b, which is on this machine\.[^]*Engine {4}ollama on this machine/,
    )
  }
  const { HOME } = await freshHome()
  const none = await screenOf(['web', '--port', '0'], { HOME, OLLAMA_HOST: '127.0.0.1:1' })
  assert.match(none, /colloquy models get smollm2 fetches[^]*Engine {4}offline engine/)
  const served = await screenOf(['serve', '--port', '0'], { HOME, OLLAMA_HOST })
  assert.match(served, /^ {2}Console[^]*Engine {4}offline engine/)
})

test('in a pipe nothing is fetched: the offline engine replies, and one line says how to get a model', async () => {
  const { HOME } = await freshHome()
  const { stdout, stderr } = await colloquy(['ask', '--no-save', 'What is 6 * 7?'], { HOME })
  assert.equal(stdout, '6 * 7 = 42\n')
  assert.match(stderr, /^No API key: the offline engine replies\. colloquy models get smollm2 fetches .*\n$/)
  for (const quiet of [{ CI: '1' }, { COLLOQUY_ENGINE: 'offline' }]) {
    assert.equal((await colloquy(['ask', '--no-save', 'Hi'], { HOME, ...quiet })).stderr, '')
  }
})

test('a model of a server on this machine is listed, replies without a key, and can be named', async () => {
  const { OLLAMA_HOST, asked, close } = await startOllama()
  after(close)
  const { HOME } = await freshHome()
  const env = { HOME, OLLAMA_HOST }
  const listed = await colloquy(['models', 'llama3'], env)
  assert.match(listed.stdout, /^ollama\/llama3\.2:1b · 1\.3 GB · 1\.2 B parameters · LLAMA 3\.2$/m)
  const named = await colloquy(['ask', '--no-save', '-m', 'llama3.2:1b', 'What is 6 * 7?'], env)
  assert.deepEqual([named.stdout, named.stderr], ['6 * 7 = 42\n', ''])
  const unnamed = await colloquy(['ask', '--output', 'json', 'What is 6 * 7?'], env)
  assert.match(unnamed.stderr, /^No API key: using ollama\/llama3\.2:1b, which is on this machine\.$/m)
  assert.equal((JSON.parse(unnamed.stdout) as { cost: { by: string } }).cost.by, 'local')
  // Twice for each request: its prompt is counted before it is sent.
  assert.deepEqual(asked, Array(4).fill('llama3.2:1b'))
  const unknown = await colloquy(['ask', '-m', 'ollama/nonsense', 'Hi'], env)
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /^Cannot use the model ollama\/nonsense: .* Found: ollama\/llama3\.2:1b/)
  // With a key Claude replies, also if a model was chosen.
  const keyed = await colloquy(['ask', '--retries', '0', 'Hi'], { ...env, ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' })
  assert.equal(keyed.code, 5)
  await close()
  servers.forEach((server) => server.closeAllConnections())
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  const gone = await colloquy(['ask', '--retries', '0', 'Hi'], env)
  assert.deepEqual(
    [gone.code, gone.stderr.trimEnd().split('\n').at(-1)],
    [
      5,
      `Cannot reach http://${OLLAMA_HOST}: nothing listens there (ECONNREFUSED). Start the server, or look at its address.`,
    ],
  )
})

test('models get fetches a file of the hub, with its size and licence shown first, and remove removes it', async () => {
  const { HOME, data } = await freshHome({ hasRuntime: true })
  const siblings = [{ rfilename: 'tiny-q4_k_m.gguf', size: chatModel.length }]
  const hub = await serve((request, response) => {
    if (request.url === '/api/models/a/tiny?blobs=true')
      response.end(JSON.stringify({ sha: 'c1', cardData: { license: 'mit' }, siblings }))
    else if (request.url === '/a/tiny/resolve/c1/tiny-q4_k_m.gguf') response.end(chatModel)
    else response.writeHead(404).end()
  })
  const env = { HOME, HF_ENDPOINT: `http://${hub}` }
  const got = await colloquy(['models', 'get', 'hf:a/tiny:q4_k_m'], env)
  assert.equal(got.code, 0, got.stderr)
  assert.match(got.stderr, /^Fetching tiny-q4_k_m \(0 MB, mit\)\.$/m)
  const file = join(data, 'models/a_tiny_tiny-q4_k_m.gguf')
  assert.ok(existsSync(file))
  assert.match((await colloquy(['models'], env)).stdout, /^\* a_tiny_tiny-q4_k_m · 0 MB$/m)
  const missing = await colloquy(['models', 'get', 'hf:a/gone'], env)
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /answered with status 404/)
  assert.equal((await colloquy(['models', 'remove', 'a_tiny_tiny-q4_k_m'], env)).code, 0)
  assert.equal(existsSync(file), false)
})

test('models get and use say what is wrong with a path', async () => {
  const text = join(home, 'text.gguf')
  await writeFile(text, 'not a model')
  for (const command of ['get', 'use']) {
    const none = await colloquy(['models', command, '/nowhere/x.gguf'])
    assert.deepEqual([none.code, none.stderr.split('\n')[0]], [2, 'Cannot use /nowhere/x.gguf: there is no such file'])
    assert.match((await colloquy(['models', command, text])).stderr, /text\.gguf: it is not a GGUF file/)
  }
})

test('models get takes a file where it is, and refuses a base model', async () => {
  const { HOME } = await freshHome({ hasRuntime: true })
  const base = join(HOME, 'base.gguf')
  await writeFile(base, gguf({ 'general.name': 'Base' }))
  const refused = await colloquy(['models', 'get', base], { HOME })
  assert.deepEqual(
    [refused.code, refused.stderr],
    [2, `Cannot use ${base}: it is a base model without a chat template\n`],
  )
  const own = join(HOME, 'own.gguf')
  await writeFile(own, chatModel)
  const used = await colloquy(['models', 'get', own], { HOME })
  assert.match(used.stdout, /^Tiny replies if there is no API key/)
})

test(
  'models use chooses a file, which replies without a key',
  { skip: path ? false : 'NOT RUN: no model' },
  async () => {
    const data = join(home, '.local/share/colloquy')
    await colloquy(['chat', 'list'])
    await symlink(runtimeFolder, join(data, 'runtime'))
    const used = await colloquy(['models', 'use', path!])
    assert.equal(used.code, 0, used.stderr)
    const { code, stdout, stderr } = await colloquy(['ask', '--no-save', '--max-tokens', '12', 'Say hello.'])
    assert.equal(code, 0, stderr)
    assert.ok(stdout.trim().length > 0)
    // In an environment of tests the rule-based engine replies, unless it is told otherwise.
    const inTests = await colloquy(['ask', '--no-save', 'What is 6 * 7?'], { CI: 'true' })
    assert.equal(inTests.stdout, '6 * 7 = 42\n')
    const broken = join(home, 'broken.gguf')
    await writeFile(broken, chatModel)
    const failed = await colloquy(['ask', '--no-save', '--retries', '0', '--engine', broken, 'Hi'])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /^Cannot load broken\.gguf: [^(]+\.\n$/)
  },
)
