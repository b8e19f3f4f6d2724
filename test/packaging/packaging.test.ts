// Tests the packed library with module systems, compilers and bundlers. Those that the repository does not have are
// skipped with a message; `npm run runtimes` fetches them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { readTurn } from 'colloquy/conversation/reader'
import { type BuildOptions, build, transformSync } from 'esbuild'
import { type RuntimeName, find } from '../runtimes/downloads.ts'
import { root } from '../source.ts'
import { newProject } from './library.ts'
import { programs, run, write } from './workspace.ts'

const commonJs = {
  name: 'Anthropic',
  isItsOwnDefault: true,
  created: 'Hello',
  streamed: 'Hello',
  toolRunner: 'Hello',
  remembers: true,
  error: 'NotFoundError',
  isNotFound: true,
}

describe('require()', () => {
  const project = newProject()
  for (const file of ['common-js.cjs', 'answer.cjs']) copyFileSync(join(programs, file), join(project, file))

  test('gives Node the class that import gives, with the other exports as properties', () => {
    assert.deepEqual(JSON.parse(run(project, 'common-js.cjs')), { ...commonJs, isImported: true })
  })

  test('works in the oldest supported Node', { skip: find('Node 22.13.0').skip }, () => {
    const { program } = find('Node 22.13.0')
    const script = `process.stdout.write(require('node:child_process').execFileSync(${JSON.stringify(program)}, ['common-js.cjs']))`
    assert.deepEqual(JSON.parse(run(project, '--eval', script)), { ...commonJs, isImported: true })
  })

  test('gives everything else a CommonJS file that does the same', () => {
    const file = (name: string): string => join(project, 'node_modules/colloquy/dist/cjs', name, 'index.js')
    const outcome: unknown = JSON.parse(run(project, 'common-js.cjs', file('.'), file('tools'), file('tools/memory')))
    assert.deepEqual(outcome, { ...commonJs, isImported: false })
  })
})

describe('types', () => {
  // Eight seconds of processor time.
  const whySlow =
    process.env['COLLOQUY_LONG'] === undefined && 'NOT TESTED: TypeScript 6; COLLOQUY_LONG=1 compiles with it'
  const compilers: [string, string | undefined, string | false][] = [
    ['TypeScript 7', join(root, 'node_modules/typescript/bin/tsc'), false],
    ['TypeScript 6', join(root, 'docs/reference/node_modules/typescript/bin/tsc'), whySlow],
    ...(['TypeScript 5.9.3', 'TypeScript 5.4.5'] satisfies RuntimeName[]).map(
      (name): [string, string | undefined, string | false] => [name, find(name).program, find(name).skip],
    ),
  ]
  for (const [name, compiler, skip] of compilers) {
    const compile = (endings: readonly string[], options: object): void => {
      const project = newProject()
      const files = endings.map((ending) => `typed.${ending}`)
      for (const file of files) copyFileSync(join(programs, 'typed.ts'), join(project, file))
      const common = { noEmit: true, strict: true, skipLibCheck: false, types: ['node'], target: 'es2022' }
      write(project, { 'tsconfig.json': JSON.stringify({ compilerOptions: { ...common, ...options }, files }) })
      run(project, compiler!)
    }
    // Removed from TypeScript 7.
    if (name !== 'TypeScript 7')
      test(`${name} finds them with moduleResolution node10`, { skip }, () => {
        const silence = name === 'TypeScript 6' ? { ignoreDeprecations: '6.0' } : {}
        const old = { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true, lib: ['es2020'] }
        compile(['ts'], { ...silence, ...old, target: 'es2020' })
      })
    // TypeScript 6 takes seconds for each, and TypeScript 7 decides in the same way.
    if (name === 'TypeScript 6') continue
    test(`${name} finds them from both kinds of modules with moduleResolution nodenext`, { skip }, () => {
      compile(['mts', 'cts'], { module: 'nodenext', moduleResolution: 'nodenext' })
    })
    test(`${name} finds them with moduleResolution bundler`, { skip }, () => {
      compile(['ts'], { module: 'esnext', moduleResolution: 'bundler' })
    })
    test(`${name} finds them with moduleResolution node16 and the library of es2020`, { skip }, () => {
      compile(['mts', 'cts'], { lib: ['es2020'], target: 'es2020', module: 'node16', moduleResolution: 'node16' })
    })
  }
})

describe('the paths of the official client', () => {
  const outcome = {
    isPromise: true,
    isError: true,
    isSameError: true,
    isSameToolError: true,
    isMessages: true,
    file: 'one.bin',
    functions: Array(5).fill('function'),
    classes: Array(5).fill('function'),
  }
  const project = newProject()
  copyFileSync(join(programs, 'official-paths.ts'), join(project, 'paths.mts'))
  cpSync(join(project, 'node_modules/colloquy'), join(project, 'node_modules/@anthropic-ai/sdk'), { recursive: true })

  test('lead to the library if it is installed under the official name', () => {
    // Node removes no types from files below node_modules.
    const { code } = transformSync(readFileSync(join(programs, 'official-paths.ts'), 'utf8'), { loader: 'ts' })
    write(project, { 'paths.mjs': code })
    assert.deepEqual(JSON.parse(run(project, 'paths.mjs')), outcome)
  })

  test('lead to the same classes from CommonJS', () => {
    write(project, {
      'paths.cjs': `const Anthropic = require('@anthropic-ai/sdk')
        const { APIError } = require('@anthropic-ai/sdk/error')
        const { Message, Messages } = require('@anthropic-ai/sdk/resources/messages')
        const { betaZodTool } = require('@anthropic-ai/sdk/helpers/beta/zod')
        const { BetaNodeFilePolicy } = require('@anthropic-ai/sdk/helpers/beta/toolsets/node')
        const { BetaLocalFilesystemMemoryTool } = require('@anthropic-ai/sdk/tools/memory/node')
        const functions = [betaZodTool, BetaNodeFilePolicy, BetaLocalFilesystemMemoryTool].map((value) => typeof value)
        console.log(APIError === Anthropic.APIError, Messages === Anthropic.Messages, ...functions)`,
    })
    assert.equal(run(project, 'paths.cjs').trim(), 'true true function function function')
  })

  test('have types', () => {
    const module = 'node16'
    const compilerOptions = { noEmit: true, strict: true, types: ['node'], target: 'es2022', module }
    write(project, { 'tsconfig.json': JSON.stringify({ compilerOptions, files: ['paths.mts'] }) })
    run(project, join(root, 'node_modules/typescript/bin/tsc'))
  })
})

const bundled = `import Anthropic from 'colloquy'
import { tool } from 'colloquy/tools'
import { answer } from './answer.cjs'
const client = new Anthropic({ apiKey: 'any', fetch: answer, dangerouslyAllowBrowser: true })
const request = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }
const greet = tool({ name: 'greet', description: 'Greets.', inputSchema: { type: 'object' }, run: () => 'Hello' })
const error = client.models.retrieve('none').then(undefined, (caught) => caught)
const parts = [
  client.messages.stream(request).finalText(),
  client.beta.messages.toolRunner({ ...request, tools: [greet] }).then(({ content }) => content[0].text),
  error.then((caught) => caught instanceof Anthropic.NotFoundError),
]
Promise.all(parts).then((outcome) => console.log(JSON.stringify(outcome)))
`

describe('bundlers', () => {
  for (const platform of ['browser', 'node'] as const) {
    for (const format of ['esm', 'cjs'] as const) {
      test(`esbuild bundles the client as ${format} for ${platform}`, async () => {
        const project = newProject()
        copyFileSync(join(programs, 'answer.cjs'), join(project, 'answer.cjs'))
        write(project, { 'main.mjs': bundled })
        const outfile = format === 'esm' ? 'out.mjs' : 'out.cjs'
        await build({ absWorkingDir: project, entryPoints: ['main.mjs'], outfile, bundle: true, platform, format })
        assert.deepEqual(JSON.parse(run(project, outfile)), ['Hello', 'Hello', true])
      })
    }
  }

  test('the client works in the oldest supported browsers', async () => {
    const project = newProject()
    for (const file of ['answer.cjs', 'features.mjs', 'older-browser.mjs'])
      copyFileSync(join(programs, file), join(project, file))
    const target = ['chrome111', 'firefox115', 'safari16.4']
    const options: BuildOptions = { bundle: true, platform: 'browser', format: 'esm', target }
    await build({ absWorkingDir: project, entryPoints: ['features.mjs'], outfile: 'out.mjs', ...options })
    const outcomes = JSON.parse(run(project, '--import', './older-browser.mjs', 'out.mjs')) as object
    assert.deepEqual(outcomes, {
      canParse: 'undefined',
      create: 'Hello',
      withResponse: 200,
      events: 6,
      stream: 'Hello',
      readableStream: 'Hello',
      listeners: 'Hello',
      abort: 'APIUserAbortError',
      signal: 'APIUserAbortError',
      // The reply is not JSON.
      parse: 'AnthropicError',
      toolRunner: 'Hello',
      notFound: 'NotFoundError',
      thread: 'Hello',
      image: 'image/gif',
      dataUrl: 'image',
      wrongUrl: 'AnthropicError',
      file: 42,
      cost: '18000000',
    })
  })

  const webpack = find('webpack 5.113.0')
  for (const target of ['web', 'webworker', 'node']) {
    test(`webpack bundles the client for ${target}`, { skip: webpack.skip }, () => {
      const project = newProject(webpack.program)
      copyFileSync(join(programs, 'answer.cjs'), join(project, 'answer.cjs'))
      const options = { context: project, entry: './main.mjs', mode: 'production', target, devtool: false }
      const output = { path: project, filename: 'out.cjs', chunkFormat: 'commonjs', chunkLoading: 'require' }
      const script = `require('webpack')(${JSON.stringify({ ...options, output })}, (error, stats) => {
        if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString())
      })`
      write(project, { 'main.mjs': bundled, 'build.cjs': script })
      run(project, 'build.cjs')
      assert.deepEqual(JSON.parse(run(project, 'out.cjs')), ['Hello', 'Hello', true])
    })
  }

  const next = find('Next.js 16.4.6')
  test('Next.js builds a page, a Node route and an edge route', { skip: next.skip, timeout: 300_000 }, async () => {
    const project = newProject(next.program)
    copyFileSync(join(programs, 'answer.cjs'), join(project, 'answer.cjs'))
    const route = (runtime: string): string => `import Anthropic from 'colloquy'
      import { answer } from '../../answer.cjs'
      export const runtime = '${runtime}'
      export const dynamic = 'force-dynamic'
      export async function GET() {
        const client = new Anthropic({ apiKey: 'any', fetch: answer })
        const messages = [{ role: 'user', content: 'Hello' }]
        const text = await client.messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 1, messages }).finalText()
        return Response.json({ text })
      }`
    write(project, {
      // Without JSX, which is not compiled below node_modules.
      'app/layout.js': `import { createElement as h } from 'react'
        export default ({ children }) => h('html', {}, h('body', {}, children))`,
      'app/page.js': `'use client'
        import Anthropic from 'colloquy'
        import { createElement as h } from 'react'
        export default () => h('p', {}, Anthropic.DEFAULT_TIMEOUT)`,
      'app/chats/[id]/route.js': `${chats}
        export const dynamic = 'force-dynamic'
        export async function POST(request, { params }) {
          const chat = await conversations.openOrCreate({ id: (await params).id, ...settings })
          return chat.send(await request.text()).toResponse({ request })
        }
        export async function GET(request, { params }) {
          return conversations.resume((await params).id, { request })
        }`,
      'app/node/route.js': route('nodejs'),
      'app/edge/route.js': route('edge'),
    })
    run(project, next.program!, 'build')
    const server = spawn(process.execPath, [next.program!, 'start', '--port', '0'], { cwd: project })
    try {
      const url = await addressOf(server.stdout)
      assert.match(await (await fetch(url)).text(), /<p>600000<\/p>/)
      await rejoins(`${url}/chats/one`)
      for (const path of ['/node', '/edge']) assert.deepEqual(await (await fetch(url + path)).json(), { text: 'Hello' })
    } finally {
      server.kill()
    }
  })
})

const express = find('Express 5.3.0')
test('Express streams a turn, which a page rejoins', { skip: express.skip }, async () => {
  const project = newProject(express.program)
  write(project, {
    'server.mjs': `${chats}
      import express from 'express'
      import { Readable } from 'node:stream'
      const app = express().use(express.text())
      const send = (response, res) => {
        res.writeHead(response.status, Object.fromEntries(response.headers))
        if (response.body) Readable.fromWeb(response.body).pipe(res)
        else res.end()
      }
      const requestOf = (req) => new Request('http://localhost/', { headers: req.headers })
      app.post('/chats/:id', async (req, res) => {
        const chat = await conversations.openOrCreate({ id: req.params.id, ...settings })
        send(await chat.send(req.body).toResponse({ request: requestOf(req) }), res)
      })
      app.get('/chats/:id', async (req, res) => {
        send(await conversations.resume(req.params.id, { request: requestOf(req) }), res)
      })
      const server = app.listen(0, () => console.log('Ready: http://localhost:' + server.address().port))`,
  })
  const server = spawn(process.execPath, ['server.mjs'], { cwd: project })
  try {
    await rejoins(`${await addressOf(server.stdout)}/chats/one`)
  } finally {
    server.kill()
  }
})

const jest = find('Jest 30.5.2')
test('Jest loads the client without flags', { skip: jest.skip }, () => {
  const project = newProject(jest.program)
  copyFileSync(join(programs, 'answer.cjs'), join(project, 'answer.cjs'))
  write(project, {
    'client.test.js': `const Anthropic = require('colloquy')
      const { tool } = require('colloquy/tools')
      const { answer } = require('./answer.cjs')
      test('create() returns a message', async () => {
        const client = new Anthropic({ apiKey: 'any', fetch: answer })
        const messages = [{ role: 'user', content: 'Hello' }]
        const stream = client.messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 1, messages })
        expect(await stream.finalText()).toBe('Hello')
        await expect(client.models.retrieve('none')).rejects.toThrow(Anthropic.NotFoundError)
        expect(typeof tool).toBe('function')
      })`,
  })
  // Only so that Jest finds tests below node_modules.
  const config = { rootDir: project, testPathIgnorePatterns: [], haste: { retainAllFiles: true } }
  run(project, jest.program!, '--ci', '--config', JSON.stringify(config))
})

/** The beginning of a server's program: conversations that a slow script answers. */
const chats = `
  import { openConversations } from 'colloquy/conversation'
  import { script } from 'colloquy/engines'
  const reply = 'One two three four five six seven eight nine ten.'
  const conversations = openConversations({ engine: script([{ reply, eventDelayMs: 60, times: 9 }]) })
  const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }`

/** Starts a turn at a path, leaves it, and rejoins it until its end. */
async function rejoins(url: string): Promise<void> {
  const body = { method: 'POST', body: 'count', headers: { 'content-type': 'text/plain' } }
  const lost = readTurn(fetch(url, body))
  let shown = ''
  for await (const text of lost.text) {
    shown += text
    break
  }
  const rejoined = readTurn(fetch(url, { headers: { 'last-event-id': lost.lastEventId! } }))
  for await (const text of rejoined.text) shown += text
  assert.equal(rejoined.message?.state, 'committed')
  assert.deepEqual(rejoined.end, { type: 'turn_end', stopped: false, error: null })
  assert.equal((await fetch(url)).status, 204)
}

/** A test that records to a cassette beside it, with an engine, or replays without one. */
function cassetteTest(context: string): string {
  return `
    test('plans a trip', async (${context}) => {
      const engine = process.env.COLLOQUY_CASSETTES === 'record' ? script(['To Japan.']) : undefined
      const replayed = cassette(${context}, { engine })
      const client = new Anthropic({ fetch: engineFetch(replayed), apiKey: 'any' })
      const messages = [{ role: 'user', content: 'Where to?' }]
      const stream = client.messages.stream({ model: 'claude-sonnet-4-6', max_tokens: 9, messages })
      expect(await stream.finalText()).toBe('To Japan.')
    })`
}

function runTwice(project: string, name: string, ...command: [string, ...string[]]): void {
  const before = process.env['COLLOQUY_CASSETTES']
  process.env['COLLOQUY_CASSETTES'] = 'record'
  run(project, ...command)
  assert.ok(existsSync(join(project, 'cassettes', name, 'plans-a-trip.json')))
  if (before === undefined) delete process.env['COLLOQUY_CASSETTES']
  else process.env['COLLOQUY_CASSETTES'] = before
  run(project, ...command)
}

test('cassette() records and replays in Jest, without flags', { skip: jest.skip }, () => {
  const project = newProject(jest.program)
  write(project, {
    'trip.test.js': `const Anthropic = require('colloquy')
      const { engineFetch, script } = require('colloquy/engines')
      const { cassette } = require('colloquy/engines/cassettes')
      ${cassetteTest('')}`.replace('cassette(, ', 'cassette(undefined, '),
  })
  const config = { rootDir: project, testPathIgnorePatterns: [], haste: { retainAllFiles: true } }
  runTwice(project, 'trip.test', jest.program!, '--ci', '--config', JSON.stringify(config))
})

const vitest = find('Vitest 5.1.1')
test('cassette() records and replays in Vitest', { skip: vitest.skip }, () => {
  const project = newProject(vitest.program)
  write(project, {
    'trip.test.mjs': `import Anthropic from 'colloquy'
      import { engineFetch, script } from 'colloquy/engines'
      import { cassette } from 'colloquy/engines/cassettes'
      import { expect, test } from 'vitest'
      ${cassetteTest('context')}`,
  })
  runTwice(project, 'trip.test', vitest.program!, 'run', '--root', project, '--dir', project)
})

/** The address that a server prints, once it is ready. Its output is read to the end, or its next line would break it. */
function addressOf(output: Readable): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    output.on('data', (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk)
      const [url] = /http:\/\/localhost:\d+/.exec(text) ?? []
      if (url && text.includes('Ready')) resolve(url)
    })
    output.on('end', () => reject(new Error(`Cannot find the address of the server: found ${text}`)))
  })
}
