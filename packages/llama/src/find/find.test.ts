import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gguf } from '../../../../test/gguf.ts'
import { findModels } from './find-models.ts'
import { findServers } from './find-servers.ts'
import { readGguf } from './gguf.ts'
import { knownServers } from './known-servers.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-find-'))
const servers: Server[] = []
after(async () => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})

const chat = gguf({
  'general.architecture': 'llama',
  'general.name': 'Chatty',
  'general.size_label': '1.5B',
  'general.license': 'mit',
  'tokenizer.ggml.tokens': ['a', 'b'],
  'llama.context_length': 2048,
  'tokenizer.chat_template': '{{ messages }}',
})

test('readGguf() reads the facts in a header, and nothing else', async () => {
  const path = join(folder, 'chat.gguf')
  await writeFile(path, chat)
  assert.deepEqual(await readGguf(path), {
    name: 'Chatty',
    architecture: 'llama',
    license: 'mit',
    window: 2048,
    parameters: 1500,
    canChat: true,
    cacheBytesPerToken: undefined,
  })
  for (const [name, content] of Object.entries({
    text: '# Hello',
    empty: '',
    cut: chat.subarray(0, 60),
    liar: Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(20, 255)]),
  })) {
    await writeFile(path, content)
    assert.equal(await readGguf(path), undefined, name)
  }
  assert.equal(await readGguf(join(folder, 'nowhere.gguf')), undefined)
})

test('findModels() finds the models of other programs once each', async () => {
  const home = join(folder, 'home')
  const put = async (path: string, content: string | Buffer): Promise<string> => {
    const whole = join(home, path)
    await mkdir(dirname(whole), { recursive: true })
    await writeFile(whole, content)
    return whole
  }
  const named = (name: string): Buffer => gguf({ 'general.name': name, 'tokenizer.chat_template': 't' })
  await put('.ollama/models/blobs/sha256-1', named('ollama'))
  await put(
    '.ollama/models/manifests/registry.ollama.ai/library/llama3.2/1b',
    JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:1' }] }),
  )
  await put(
    '.ollama/models/blobs/sha256-2',
    JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:3' }] }),
  )
  await put('.ollama/models/blobs/sha256-3', named('ollama list'))
  await put(
    '.ollama/models/manifests/hf.co/me/mine/latest',
    JSON.stringify({
      manifests: [
        { runner: 'mlx', digest: 'sha256:9' },
        { runner: 'ollama', format: 'gguf', digest: 'sha256:2' },
      ],
    }),
  )
  await put('.ollama/models/manifests/registry.ollama.ai/library/broken/1b', '{nope')
  await put('.lmstudio/models/publisher/repository/a.gguf', named('lmstudio'))
  await put('.lmstudio/models/publisher/repository/mmproj-a.gguf', named('projector'))
  const blob = await put('.cache/huggingface/hub/models--org--repo/blobs/abc', named('hub'))
  await mkdir(join(home, '.cache/huggingface/hub/models--org--repo/snapshots/123'), { recursive: true })
  await symlink(blob, join(home, '.cache/huggingface/hub/models--org--repo/snapshots/123/b.gguf'))
  await put('.cache/llama.cpp/org_repo_c.gguf', named('llama.cpp'))
  await put('.cache/llama.cpp/base.gguf', gguf({ 'general.name': 'base' }))
  await put('.cache/llama.cpp/d-00001-of-00002.gguf', named('split'))
  await put('.cache/llama.cpp/d-00002-of-00002.gguf', named('split'))
  await put('.local/share/nomic.ai/GPT4All/e.gguf', named('gpt4all'))
  const own = dirname(await put('own/f.gguf', named('own')))
  await symlink(join(own, 'f.gguf'), join(home, '.cache/llama.cpp/f.gguf'))
  const found = await findModels({ home, env: {}, own })
  assert.deepEqual(
    found.map(({ name, from, id }) => `${from} ${id} ${name}`),
    [
      'own f own',
      'ollama me/mine:latest ollama list',
      'ollama llama3.2:1b ollama',
      'lmstudio publisher/repository/a.gguf lmstudio',
      'huggingface org/repo/b.gguf hub',
      'llama.cpp d-00001-of-00002 split',
      'llama.cpp org_repo_c llama.cpp',
      'gpt4all e gpt4all',
    ],
  )
})

async function serverAt(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function answering(answers: Record<string, unknown>): RequestListener {
  return (request, response) => {
    const answer = answers[request.url!]
    if (answer === undefined) response.writeHead(404).end('{}')
    else response.end(JSON.stringify(answer))
  }
}

describe('findServers()', () => {
  const at = async (name: string, listener: RequestListener): Promise<(typeof knownServers)[number]> => ({
    ...knownServers.find((server) => server.name === name)!,
    port: await serverAt(listener),
  })

  test('lists the chat models of each kind of server with what it says of them', async () => {
    const list = (...data: object[]): object => ({ object: 'list', data })
    const found = await findServers({
      answerMs: 60_000,
      env: {},
      timeoutMs: 5_000,
      servers: [
        await at(
          'ollama',
          answering({
            '/api/tags': {
              models: [{ name: 'llama3.2:1b', size: 1_321_098_329, details: { parameter_size: '1.2B' } }],
            },
            '/api/show': {
              capabilities: ['completion', 'tools'],
              license: '\nLLAMA 3.2 COMMUNITY LICENSE\nand more',
              model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
            },
          }),
        ),
        await at(
          'lmstudio',
          answering({
            '/api/v1/models': {
              models: [
                { type: 'llm', key: 'qwen2.5-7b', size_bytes: 4_500, params_string: '7B', max_context_length: 32_768 },
                { type: 'embedding', key: 'nomic' },
              ],
            },
          }),
        ),
        await at(
          'llama.cpp',
          answering({
            '/v1/models': list({
              id: 'a.gguf',
              owned_by: 'llamacpp',
              meta: { n_params: 134_515_008, size: 98, n_ctx_train: 8_192 },
            }),
          }),
        ),
        await at('vllm', answering({ '/v1/models': list({ id: 'Qwen/Qwen2.5-1.5B-Instruct', max_model_len: 4_096 }) })),
      ],
    })
    for (const { baseURL } of found) assert.match(baseURL, /^http:\/\/127\.0\.0\.1:\d+\/v1$/)
    assert.deepEqual(
      found.map(({ from, id, bytes, parameters, window, license }) => [from, id, bytes, parameters, window, license]),
      [
        ['ollama', 'llama3.2:1b', 1_321_098_329, 1_200, 131_072, 'LLAMA 3.2 COMMUNITY LICENSE'],
        ['lmstudio', 'qwen2.5-7b', 4_500, 7_000, 32_768, undefined],
        ['llama.cpp', 'a.gguf', 98, 135, 8_192, undefined],
        ['vllm', 'Qwen/Qwen2.5-1.5B-Instruct', undefined, 1_500, 4_096, undefined],
      ],
    )
  })

  test('passes over a server that is silent, slow, broken, or not one of models', async () => {
    const many = JSON.stringify({
      object: 'list',
      data: Array.from({ length: 100_000 }, () => ({ id: 'x'.repeat(50) })),
    })
    const others = [
      await at('vllm', () => {}),
      await at('vllm', (_, response) => void response.write('{"object":"list",')),
      await at('vllm', (_, response) => response.end('<html>')),
      await at('vllm', (_, response) => response.end(many)),
      await at('vllm', (_, response) => response.writeHead(302, { location: '/elsewhere' }).end()),
      // A server of the Messages API, such as this program's own.
      await at('vllm', answering({ '/v1/models': { data: [{ type: 'model', id: 'claude-sonnet-4-6' }] } })),
      { ...knownServers[0]!, port: 1 },
    ]
    // A silent server never answers, so that this ends only by the time limit.
    assert.deepEqual(await findServers({ env: {}, servers: others, answerMs: 300 }), [])
  })

  test('finds a server that accepts in time and answers later', async () => {
    const list = answering({ '/api/tags': { models: [{ name: 'm' }] } })
    const late = await at('ollama', (request, response) => setTimeout(() => list(request, response), 200))
    const found = await findServers({ env: {}, servers: [late], timeoutMs: 100, answerMs: 60_000 })
    assert.deepEqual(
      found.map(({ id }) => id),
      ['m'],
    )
  })

  test('waits longer for a server that the environment names', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const list = answering({ '/api/tags': { models: [{ name: 'm' }] } })
    const port = await serverAt((request, response) => {
      t.mock.timers.tick(5_000)
      setImmediate(() => setImmediate(() => list(request, response)))
    })
    const [ollama] = knownServers
    const countOf = async (named: object): Promise<number> => (await findServers(named)).length
    assert.equal(await countOf({ env: {}, servers: [{ ...ollama, port }] }), 0)
    assert.equal(await countOf({ env: { OLLAMA_HOST: `127.0.0.1:${port}` }, servers: [ollama] }), 1)
  })

  test('finds a server although this process is late itself', async () => {
    const server = await at('ollama', answering({ '/api/tags': { models: [{ name: 'm' }] } }))
    const found = findServers({ env: {}, servers: [server], timeoutMs: 1, answerMs: 60_000 })
    // The time is over before the event loop can see that the connection was accepted.
    const end = performance.now() + 20
    while (performance.now() < end);
    assert.equal((await found).length, 1)
  })

  test('does not wait for a port at which nothing listens', { timeout: 120_000 }, async () => {
    assert.deepEqual(
      await findServers({ env: {}, servers: [{ ...knownServers[0]!, port: 1 }], timeoutMs: 3_600_000 }),
      [],
    )
  })

  test('asks OLLAMA_HOST only if it is on this machine', async () => {
    const port = await serverAt(answering({ '/api/tags': { models: [{ name: 'm' }] } }))
    const [ollama] = knownServers
    for (const [host, count] of [
      [`127.0.0.1:${port}`, 1],
      [`http://localhost:${port}`, 1],
      [`0.0.0.0:${port}`, 1],
      [`example.com:${port}`, 0],
    ] as const) {
      const found = await findServers({
        env: { OLLAMA_HOST: host },
        servers: [ollama!],
        timeoutMs: 60_000,
        answerMs: 60_000,
      })
      assert.equal(found.length, count, host)
    }
  })
})
