import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { openConversations, type Conversation } from 'colloquy/conversation'
import { Anthropic } from 'colloquy'
import { script, upstream, type ScriptEngine, type ScriptedReply } from 'colloquy/engines'
import type { ContentBlock, Engine, Tool, ToolResultBlockParam } from 'colloquy/protocol'
import { builtProgram } from '../../../../test/built-program.ts'
import { programEnvironment } from '../../../../test/program-environment.ts'
import { enter, User } from '../../../../test/terminal-user.ts'
import { until } from '../../../../test/until.ts'
import { VirtualTerminal } from '../../../../test/virtual-terminal.ts'
import { chat as openChat } from '../commands/chat/chat.ts'
import { parse } from '../commands/parse.ts'
import { ChatTools, type Permission } from './chat-tools.ts'
import { readServerFile } from './server-file.ts'
import { answersTo, type Asked } from './server-questions.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-mcp-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

function fileOf(content: unknown): string {
  const path = join(folder, `${++files}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const testServer = { command: process.execPath, args: [join(import.meta.dirname, 'test-server.ts')] }
const toClose: ChatTools[] = []
afterEach(async () => {
  for (const tools of toClose.splice(0)) await tools.close()
})

async function openTools(servers: object, allowed: string[] = [], user?: Asked): Promise<ChatTools> {
  const tools = await ChatTools.open(fileOf({ mcpServers: servers }), allowed, { user })
  toClose.push(tools)
  return tools
}

for (const name of Object.keys(process.env)) if (/^(?:ANTHROPIC|COLLOQUY|NO_COLOR)/.test(name)) delete process.env[name]
process.env['ANTHROPIC_API_KEY'] = 'secret'
process.env['NO_PROXY'] = 'localhost'
const withVariable = { ...testServer, env: { OWN: 'given ${NONE:-here}' } }
const everyTool = await ChatTools.open(fileOf({ mcpServers: { s: withVariable } }), ['*'])
delete process.env['ANTHROPIC_API_KEY']
after(() => everyTool.close())

let calls = 0

function call(name: string, input: object = {}): ContentBlock {
  return { type: 'tool_use', id: `toolu_${++calls}`, name, input }
}

function step(...content: ContentBlock[]): ScriptedReply {
  return { content, stop_reason: 'tool_use' }
}

interface Chat {
  engine: ScriptEngine
  conversation: Conversation
  shown: string[]
  asked: string[]
  onAsk: () => void
  send(signal?: AbortSignal): Promise<unknown>
}

/** A chat with tools whose engine makes the calls, and whose user answers the questions. */
async function chat(tools: ChatTools, steps: (ScriptedReply | string)[], answers: Permission[] = []): Promise<Chat> {
  const engine = script(steps)
  const conversation = await openConversations({ engine }).create({ model: 'claude-sonnet-5-5', max_tokens: 100 })
  const shown: string[] = []
  const asked: string[] = []
  const host = {
    show: (line: string) => void shown.push(line.replace(/ · \d.*s$/, '')),
    showProgress: (text: string) => void shown.push(`… ${text}`),
    ask: async ({ name }: { name: string }) => {
      asked.push(name)
      each.onAsk()
      return answers.shift() ?? { reason: 'no' }
    },
  }
  const send = (signal?: AbortSignal): Promise<unknown> =>
    conversation.send('Go', { ...tools.turnOptions(host), ...(signal && { signal }) }).then((reply) => reply.text)
  const each: Chat = { engine, conversation, shown, asked, onAsk: () => {}, send }
  return each
}

function resultsOf({ conversation }: Chat): ToolResultBlockParam[] {
  return conversation.messages.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter((block) => block.type === 'tool_result'),
  )
}

const oldResults: Record<string, object> = {
  initialize: { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } },
  'tools/list': {
    tools: [
      { name: 'time', inputSchema: { type: 'object' } },
      { name: 'task', inputSchema: { type: 'object' }, execution: { taskSupport: 'required' } },
    ],
  },
}

/** A server of the protocol's first version: answers to requests are events of one stream. Its second result is of no known kind. */
function oldServer(onRequest: (request: Request) => void): (request: Request) => Promise<Response> {
  let send = (_event: string): void => {}
  const contents = [{ type: 'text', text: '12:00' }, { type: 'smell' }]
  return async (request) => {
    onRequest(request)
    if (request.method === 'GET') {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          send = (event) => controller.enqueue(new TextEncoder().encode(event))
          send('event: endpoint\ndata: /messages\n\n')
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const { id, method } = (await request.json()) as { id?: number; method: string }
    const result = method === 'tools/call' ? { content: [contents.shift()] } : oldResults[method]
    if (result !== undefined) send(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
    return new Response(null, { status: 202 })
  }
}

describe('the tools of a server', () => {
  test('are sent with its name before theirs, and run when they are allowed', async () => {
    const tools = await openTools({ s: testServer }, ['s__a*', 's__fail'])
    assert.deepEqual(tools.names.slice(0, 5), ['s__add', 's__variable', 's__fail', 's__long', 's__wait_for'])
    const each = await chat(tools, [step(call('s__add', { a: 4711, b: 815 }), call('s__fail')), 'Done.'])
    assert.equal(await each.send(), 'Done.')
    const [{ params }] = each.engine.requests as [ScriptEngine['requests'][0]]
    assert.deepEqual(
      params.tools?.map((tool) => 'name' in tool && tool.name),
      tools.names,
    )
    assert.deepEqual(each.asked, [])
    assert.deepEqual(each.shown.toSorted(), [
      '  └ s__add: 5526',
      '  └ s__fail: no network',
      '⚙ s__add {"a":4711,"b":815}',
      '⚙ s__fail {}',
    ])
    const [sum, failure] = resultsOf(each)
    assert.deepEqual(sum?.content, [{ type: 'text', text: '5526' }])
    assert.equal(failure?.is_error, true)
  })

  test('are asked for one after another; `always` holds for later calls', async () => {
    const tools = await openTools({ s: testServer })
    const add = (): ContentBlock => call('s__add', { a: 1, b: 2 })
    const steps = [step(add(), call('s__fail'), add()), step(add()), 'Done.']
    const each = await chat(tools, steps, ['always', { reason: 'the user did not allow it' }])
    await each.send()
    assert.deepEqual(each.asked, ['s__add', 's__fail'])
    const results = resultsOf(each)
    assert.deepEqual(
      results.map(({ is_error }) => is_error ?? false),
      [false, true, false, false],
    )
    assert.match(JSON.stringify(results[1]), /declined: the user did not allow it/)
    const again = await chat(tools, [step(add()), 'Done.'])
    await again.send()
    assert.deepEqual(again.asked, [])
  })

  test('see the variables of their file and of the network, and not the keys of the program', async () => {
    const names = ['ANTHROPIC_API_KEY', 'NO_PROXY', 'OWN']
    const each = await chat(everyTool, [step(...names.map((name) => call('s__variable', { name }))), 'Done.'])
    await each.send()
    assert.deepEqual(
      resultsOf(each).map(({ content }) => (content as { text: string }[])[0]?.text),
      ['not set', 'localhost', 'given here'],
    )
  })

  test('return at most 100,000 characters, in one text or in many', async () => {
    const each = await chat(everyTool, [step(call('s__long', { texts: 1 }), call('s__long', { texts: 5 })), 'Done.'])
    await each.send()
    for (const { content } of resultsOf(each)) {
      const texts = (content as unknown as { text: string }[]).map(({ text }) => text)
      assert.equal(texts.pop(), '(150000 more characters)')
      assert.match(texts.join(''), /^x{99999,100000}…?$/)
    }
  })

  test('tell how far they have come, and end when the turn is stopped', async () => {
    const each = await chat(everyTool, [step(call('s__wait_for')), 'Done.'])
    const controller = new AbortController()
    const sent = each.send(controller.signal)
    await (await chat(everyTool, [step(call('s__begun')), 'Done.'])).send()
    controller.abort()
    await assert.rejects(sent, { name: 'APIUserAbortError' })
    const progress = '… s__wait_for 3 of 10 · reading a.txt'
    assert.deepEqual(each.shown, ['⚙ s__wait_for {}', progress, '  └ s__wait_for: stopped'])
    const after = await chat(everyTool, [step(call('s__cancelled')), 'Done.'])
    await after.send()
    assert.deepEqual(resultsOf(after)[0]?.content, [{ type: 'text', text: 'yes' }])
  })

  test('are not asked for when the turn was stopped at the question before', async () => {
    const controller = new AbortController()
    const each = await chat(await openTools({ s: testServer }), [step(call('s__fail'), call('s__fail')), 'Done.'])
    each.onAsk = () => controller.abort()
    await assert.rejects(each.send(controller.signal), { name: 'APIUserAbortError' })
    await new Promise(setImmediate)
    assert.deepEqual(each.asked, ['s__fail'])
  })

  test('return a text in the place of content that no block can hold', async () => {
    const each = await chat(everyTool, [step(call('s__odd')), 'Done.'])
    await each.send()
    assert.deepEqual(
      (resultsOf(each)[0]!.content as unknown as { text: string }[]).map(({ text }) => text),
      [
        '[link to the resource notes · test://notes]',
        '[audio that this chat cannot show: audio/wav, 3 B]',
        'test://data\n{"a":1}',
        '[file that this chat cannot show: test://zip, application/zip, 3 B]',
      ],
    )
  })

  test('that the server adds can be called in the next turn', async () => {
    const tools = await openTools({ s: testServer }, ['*'])
    const each = await chat(tools, [step(call('s__grow')), 'Done.'])
    await each.send()
    await until(() => tools.names.includes('s__new'))
    const after = await chat(tools, [step(call('s__new')), 'Done.'])
    await after.send()
    assert.deepEqual(resultsOf(after)[0]?.content, [{ type: 'text', text: 'new' }])
  })

  test('of a server that has ended start it again', async () => {
    const tools = await openTools({ s: testServer }, ['*'])
    const each = await chat(tools, [step(call('s__die')), step(call('s__add', { a: 1, b: 2 })), 'Done.'])
    await each.send()
    assert.deepEqual(
      resultsOf(each).map(({ is_error, content }) => [is_error ?? false, JSON.stringify(content).includes('3')]),
      [
        [true, false],
        [false, true],
      ],
    )
    assert.deepEqual(tools.failures, [])
    assert.equal(each.shown[1], '  └ s__die: Cannot use the MCP server s: it has ended')
  })

  test('of a server that sends too much end it, and say so', async () => {
    const each = await chat(await openTools({ s: testServer }, ['*']), [step(call('s__huge')), 'Done.'])
    await each.send()
    assert.equal(each.shown[1], '  └ s__huge: Cannot use the MCP server s: it sent more than 10.5 MB at once')
  })

  test('of an older server arrive by SSE, without those that run only as tasks', async () => {
    const seen = new Set<string | null>()
    const listening = await listen({ fetch: oldServer((request) => seen.add(request.headers.get('authorization'))) })
    try {
      const server = { type: 'sse', url: `${listening.url}/sse`, headers: { authorization: 'Bearer t' } }
      const tools = await openTools({ old: server }, ['*'])
      assert.deepEqual(tools.names, ['old__time'])
      const each = await chat(tools, [step(call('old__time')), step(call('old__time')), 'Done.'])
      await each.send()
      assert.deepEqual(resultsOf(each)[0]?.content, [{ type: 'text', text: '12:00' }])
      assert.equal(
        each.shown[3],
        '  └ old__time: its answer to tools/call has the wrong form: content.0: Invalid input',
      )
      assert.deepEqual([...seen], ['Bearer t'])
      await tools.close()
    } finally {
      await listening.close({ graceMs: 0 })
    }
  })

  test('whose schemas the API refuses are sent in another form, or left out and told', async () => {
    const branches = [{ required: ['a'] }, { required: ['b'] }]
    const properties = { a: { type: 'string' }, b: { type: 'string' } }
    const listed = [
      { name: 'either', description: 'One of two.', inputSchema: { type: 'object', properties, anyOf: branches } },
      { name: 'odd', inputSchema: { type: 'object', properties: { $filter: {} } } },
      { name: 'all', inputSchema: { type: 'object', allOf: branches, oneOf: branches } },
    ]
    const results: Record<string, object> = { ...oldResults, 'tools/list': { tools: listed } }
    const listening = await listen({
      fetch: async (request: Request) => {
        if (request.method !== 'POST') return new Response(null, { status: 405 })
        const { id, method } = (await request.json()) as { id?: number; method: string }
        if (id === undefined) return new Response(null, { status: 202 })
        return Response.json({ jsonrpc: '2.0', id, result: results[method] })
      },
    })
    const api = createServer({ engine: script(['Hello.']) })
    const client = new Anthropic({ fetch: api.fetch, baseURL: 'http://colloquy.test', apiKey: 'any' })
    const tools = await openTools({ web: { url: listening.url } })
    const engine: Engine = (params) => {
      sent.push(...(params.tools as Tool[]))
      return upstream(client)(params)
    }
    const sent: Tool[] = []
    const conversation = await openConversations({ engine }).create({ model: 'claude-sonnet-5-5', max_tokens: 100 })
    const host = { show: () => {}, ask: async () => 'once' as const }
    assert.equal((await conversation.send('Go', tools.turnOptions(host))).text, 'Hello.')
    assert.deepEqual(
      sent.map(({ name, description, input_schema }) => ({ name, description, input_schema })),
      [
        {
          name: 'web__either',
          description: `One of two.\n\nThe input must also satisfy this JSON Schema: ${JSON.stringify({ anyOf: branches })}`,
          input_schema: { type: 'object', properties },
        },
        {
          name: 'web__all',
          description: `The input must also satisfy this JSON Schema: ${JSON.stringify({ allOf: branches, oneOf: branches })}`,
          input_schema: { type: 'object' },
        },
      ],
    )
    assert.deepEqual(tools.leftOut, ['Cannot use the tool odd of web: the API refuses its parameter $filter'])
    await tools.close()
    await listening.close({ graceMs: 0 })
  })

  test('may ask the user, who sees what is sent, and can refuse or leave', async () => {
    const shown: string[] = []
    const answers: (string | undefined)[] = []
    const read = async (question: string): Promise<string | undefined> => (shown.push(question), answers.shift())
    const user: Asked = { show: (line) => void shown.push(line), choose: read, read }
    const tools = await openTools({ s: testServer }, ['*'], user)
    const answered = async (name: string, ...given: (string | undefined)[]): Promise<string> => {
      answers.splice(0, Infinity, ...given)
      shown.length = 0
      const each = await chat(tools, [step(call(name)), 'Done.'])
      await each.send()
      return (resultsOf(each)[0]!.content as unknown as { text: string }[])[0]!.text
    }
    const all = ['3', '2', 'roof,1', '1', '', 'ada', 'ada@b.c', 'maybe', 'Yes', '', 'y']
    const content = { colour: 'b', extras: ['roof', 'radio'], seats: 1, mail: 'ada@b.c', quick: true }
    const sent = { ...content, seats: 4 }
    assert.deepEqual(JSON.parse(await answered('s__order', ...all)), { action: 'accept', content: sent })
    const choices = ['    1 red', '    2 blue']
    assert.deepEqual(shown, [
      '? s asks: Which car?',
      ...choices,
      'Colour:',
      '  ✗ It must satisfy one of 2 choices: found "3".',
      'Colour:',
      '    1 radio',
      '    2 roof',
      'extras (several with commas):',
      'seats (default 4):',
      '  ✗ It must be at least 2: found 1.',
      'seats (default 4):',
      '  mail: Your address',
      'mail:',
      '  ✗ It must have the form email.',
      'mail:',
      'quick (yes or no):',
      '  ✗ It must be a boolean: found "maybe".',
      'quick (yes or no):',
      'note (may stay empty):',
      `  ${JSON.stringify(sent)}`,
      'Send this to s?',
    ])
    const first = ['1', '1', '', 'a@b.c', 'no', '']
    assert.equal(await answered('s__order', ...first, 'n'), '{"action":"decline"}')
    assert.equal(await answered('s__order', '1', undefined), '{"action":"cancel"}')
    assert.equal(await answered('s__page', 'n'), 'decline')
    assert.deepEqual(shown, ['? s asks: Pay here', '    > y', '  https://pay.example/1', 'Open this page for s?'])
    assert.deepEqual(tools.connections[0]!.messages.slice(-1), ['warning: {"note":"it asks"}'])
    const params = { message: 'Too late?', requestedSchema: { type: 'object', properties: {} } } as const
    shown.length = 0
    assert.deepEqual(await answersTo('s', params, user, AbortSignal.abort()), { action: 'cancel' })
    assert.deepEqual(shown, [])
    const silent = await chat(everyTool, [step(call('s__order')), 'Done.'])
    await silent.send()
    assert.match(JSON.stringify(resultsOf(silent)), /Client does not support/)
  })

  test('of an address whose answer breaks off, or that is gone, fail at once', async () => {
    const listening = await listen({
      fetch: async (request: Request) => {
        if (request.method !== 'POST') return new Response(null, { status: 405 })
        const { id, method } = (await request.json()) as { id?: number; method: string }
        if (id === undefined) return new Response(null, { status: 202 })
        if (method === 'tools/call') return new Response('', { headers: { 'content-type': 'text/event-stream' } })
        return Response.json({ jsonrpc: '2.0', id, result: oldResults[method] })
      },
    })
    const tools = await openTools({ web: { url: listening.url } }, ['*'])
    const first = await chat(tools, [step(call('web__time')), 'Done.'])
    await first.send()
    await listening.close({ graceMs: 0 })
    const second = await chat(tools, [step(call('web__time')), 'Done.'])
    await second.send()
    assert.deepEqual(
      [first.shown[1], second.shown[1]],
      ['  └ web__time: the answer broke off', '  └ web__time: nothing listens there'],
    )
  })

  test('end after the timeout of the file', async () => {
    const each = await chat(await openTools({ s: { ...testServer, timeout: 50 } }, ['*']), [
      step(call('s__wait_for')),
      'Done.',
    ])
    await each.send()
    assert.match(JSON.stringify(resultsOf(each)), /50 ms/)
  })

  test('are reached by HTTP too, with the headers of the file', async () => {
    const seen = new Set<string | null>()
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 'clock', version: '1.0.0' })
      server.registerTool('time', { description: 'The time.' }, () => ({ content: [{ type: 'text', text: '12:00' }] }))
      return server
    })
    const listening = await listen({
      fetch: (request: Request) => {
        seen.add(request.headers.get('authorization'))
        return handler.fetch(request)
      },
    })
    try {
      const tools = await openTools(
        { web: { type: 'http', url: listening.url, headers: { authorization: 'Bearer t' } } },
        ['*'],
      )
      const each = await chat(tools, [step(call('web__time')), 'Done.'])
      await each.send()
      assert.deepEqual(resultsOf(each)[0]?.content, [{ type: 'text', text: '12:00' }])
      assert.deepEqual([...seen], ['Bearer t'])
      await tools.close()
    } finally {
      await listening.close({ graceMs: 0 })
    }
  })
})

test('a server that cannot be used is named with the reason, and the others work', async () => {
  const last = { command: process.execPath, args: ['-e', 'console.error("no database"); process.exit(3)'] }
  const missing = { command: process.execPath, args: [join(folder, 'missing.js')] }
  const { names, failures } = await openTools({
    'none at all': { command: 'no-such-program' },
    last,
    missing,
    'my numbers': testServer,
  })
  assert.equal(names[0], 'my_numbers__add')
  assert.deepEqual(failures, [
    'Cannot use the MCP server none at all: no such file or folder',
    'Cannot use the MCP server last: no database',
    `Cannot use the MCP server missing: Error: Cannot find module '${join(folder, 'missing.js')}'`,
  ])
})

test('a server that cannot be reached is named with what was found at its url', async () => {
  const listening = await listen({
    fetch: async (request) =>
      new Response('no', { status: Number(new URL((request as Request).url).pathname.slice(1)) }),
  })
  const closed = await listen({ fetch: async () => new Response() })
  await closed.close({ graceMs: 0 })
  try {
    const { failures } = await openTools({
      signed: { url: `${listening.url}/401` },
      forbidden: { url: `${listening.url}/403` },
      other: { url: `${listening.url}/404` },
      old: { type: 'sse', url: `${listening.url}/404` },
      broken: { url: `${listening.url}/500` },
      closed: { url: closed.url },
    })
    assert.deepEqual(
      failures.map((failure) => failure.replace('Cannot use the MCP server ', '')),
      [
        'signed: it wants a sign-in: /mcp login signed in the chat opens the browser for it, or put a token into its headers in the file, such as {"authorization": "Bearer ${TOKEN}"}',
        'forbidden: it refused the request (status 403): put a token into its headers in the file, such as {"authorization": "Bearer ${TOKEN}"}',
        'other: there is no MCP server at its url (status 404); an older one may need "type": "sse" in the file',
        'old: there is no MCP server at its url (status 404)',
        'broken: it answered with status 500',
        'closed: nothing listens there',
      ],
    )
  } finally {
    await listening.close({ graceMs: 0 })
  }
})

test('servers that are not ready when the start is stopped are ended at once', async () => {
  const marker = join(folder, 'silent')
  const program = `process.on('SIGTERM', () => process.exit(require('fs').writeFileSync(${JSON.stringify(marker)}, 'ended')))
    setInterval(() => {}, 1000); require('fs').writeFileSync(${JSON.stringify(marker)}, 'started')`
  const file = fileOf({ mcpServers: { silent: { command: process.execPath, args: ['-e', program] } } })
  const controller = new AbortController()
  const opening = ChatTools.open(file, [], { signal: controller.signal })
  await until(() => existsSync(marker))
  controller.abort()
  const tools = await opening
  assert.deepEqual(tools.failures, ['Cannot use the MCP server silent: it was stopped before it was ready'])
  await until(() => readFileSync(marker, 'utf8') === 'ended')
})

test('a chat that cannot be opened starts no server', async () => {
  const marker = join(folder, 'started')
  const command = {
    command: process.execPath,
    args: ['-e', `require('fs').writeFileSync(${JSON.stringify(marker)}, '')`],
  }
  process.env['XDG_DATA_HOME'] = process.env['XDG_STATE_HOME'] = folder
  process.env['TERM'] = 'xterm-256color'
  const words = ['chat', '--engine', 'offline', '-r', 'no such chat', '--mcp', fileOf({ mcpServers: { s: command } })]
  const { flags } = await parse(words)
  const user = new User(new VirtualTerminal(80, 24), (input, output) => openChat([], flags, { input, output }))
  assert.notEqual(await user.left, 0)
  assert.equal(existsSync(marker), false)
})

test('a mistake in a file is one sentence that names the file and the server', async () => {
  const server = (entry: unknown): unknown => ({ mcpServers: { a: entry } })
  for (const [content, message] of [
    ['{', /^Cannot read .*json: line 1 is not JSON$/],
    [[], /^Cannot use .*json: it must be an object with mcpServers, such as/],
    [{ mcpServers: 5 }, /it must be an object with mcpServers/],
    [server('npx'), /the MCP server a of .*: it must be an object$/],
    [server({}), /it must have a command or a url$/],
    [server({ command: 5 }), /its command must be a text$/],
    [server({ command: 'x', args: 'y' }), /its args must be a list of texts$/],
    [server({ command: 'x', args: [1] }), /its args must be a text$/],
    [server({ command: 'x', env: { A: 1 } }), /its env\.A must be a text$/],
    [server({ command: '${NO_SUCH}' }), /its command names the variable NO_SUCH, which is not set$/],
    [server({ url: 'file:///x' }), /its url must be an http or https address$/],
    [server({ url: 'http://x', oauth: 'me' }), /its oauth must be an object$/],
    [server({ url: 'http://x', oauth: { callbackPort: 0 } }), /its oauth\.callbackPort must be a port$/],
    [server({ command: 'x', timeout: -1 }), /its timeout must be a number of milliseconds$/],
  ] as const) {
    await assert.rejects(readServerFile(fileOf(content), {}), { name: 'UsageError', message })
  }
  const file = { servers: { off: { disabled: true }, b: { command: '${A}', cwd: '/', alwaysAllow: [] } } }
  const expected = { name: 'b', timeoutMs: undefined, kind: 'program', command: 'x', args: [], env: {}, cwd: '/' }
  assert.deepEqual(await readServerFile(fileOf(file), { A: 'x' }), [expected])
})

test('`ask` runs the tools that are allowed, refuses others, and begins a paragraph after them', async () => {
  const steps = [
    {
      content: [{ type: 'text', text: 'I add.' }, call('s__add', { a: 1, b: 2 }), call('s__fail')],
      stop_reason: 'tool_use',
    },
    'The sum is 3.',
  ]
  const engine = script(steps as ScriptedReply[])
  const listening = await listen(createServer({ engine }))
  try {
    const file = fileOf({ mcpServers: { s: testServer } })
    const words = [
      'ask',
      '--engine',
      listening.url,
      '--no-save',
      '--mcp',
      file,
      '--allow-tool',
      's__add',
      'Add the numbers of @s:test://notes.',
    ]
    const child = spawn(process.execPath, [builtProgram, ...words], { env: { ...programEnvironment, HOME: folder } })
    child.stdin.end()
    const output = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 0, output.stderr)
    assert.equal(output.stdout, 'I add.\n\nThe sum is 3.\n')
    assert.match(JSON.stringify(engine.requests[0]?.params.messages), /the notes.*Add the numbers of @s:test/)
    // On a slow machine the start of the servers is a line too.
    const lines = output.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('Starting'))
      .map((line) => line.replace(/ · \d.*s$/, ''))
    assert.deepEqual(lines.toSorted(), [
      '  └ s__add: 3',
      '  └ s__fail: not allowed without --allow-tool s__fail',
      '⚙ s__add {"a":1,"b":2}',
      '⚙ s__fail {}',
    ])
  } finally {
    await listening.close({ graceMs: 0 })
  }
})

test('a terminal asks before a call: a message that is being typed does not answer, and Esc stops the turn', async () => {
  const add = (): ScriptedReply =>
    step({ type: 'text', text: 'I add.' } as ContentBlock, call('s__add', { a: 1, b: 2 }))
  const engine = script([
    add(),
    'It is 3.',
    add(),
    add(),
    'Again 3.',
    'Hello, Ada!',
    'Noted.',
    step(call('s__order')),
    'Ordered.',
  ])
  const listening = await listen(createServer({ engine }))
  process.env['XDG_DATA_HOME'] = process.env['XDG_STATE_HOME'] = folder
  process.env['TERM'] = 'xterm-256color'
  const file = fileOf({ mcpServers: { s: testServer, none: { command: 'no-such-program' } } })
  const { flags } = await parse(['chat', '--engine', listening.url, '--mcp', file])
  const user = new User(new VirtualTerminal(80, 24), (input, output) => openChat([], flags, { input, output }))
  try {
    await user.sees(/✗ Cannot use the MCP server none: no such file or folder\n13 tools · \/tools lists them/)
    await user.says('Add 1 and 2')
    await user.sees(/I add\.\n\n⚙ s__add \{"a":1,"b":2\}\nCall s__add\?\ny yes · a always until you leave · n no/)
    await user.says('yes, and then')
    await user.sees(/Call s__add\?\n/)
    assert.equal(engine.requests.length, 1)
    await user.says('y')
    await user.sees(/ {2}└ s__add: 3 · \d.*s\n\nIt is 3\.\n\n\S+ in/)
    await user.says('/tools')
    await user.sees(/ {2}s__add {2}Adds two numbers\./)
    await user.says('Once more')
    await user.sees(/Once more[^]*Call s__add\?/)
    await user.type('\x1b')
    await user.sees(/■ stopped/)
    await user.says('And again')
    await user.sees(/And again[^]*Call s__add\?/)
    await user.says('a')
    await user.sees(/Again 3\./)
    await user.says('/tools')
    await user.sees(/✓ s__add/)
    await user.says('/mcp')
    await user.sees(/✓ s: 13 tools\n {2}✗ none: no such file or folder · \/mcp restart none/)
    await user.says('/mcp s')
    await user.sees(
      /\/s__greet name \[style\] {2}A greeting\.\n {4}@s:test:\/\/notes {2}notes\n {4}@s:test:\/\/items\/\{id\} {2}item/,
    )
    await user.says('/s__greet')
    await user.sees(/Cannot send the prompt greet without its name/)
    await user.says('/s__greet Ada very kindly')
    await user.sees(/Greet Ada very kindly[^]*Hello, Ada!/)
    await user.type('Read @s:te\t')
    await user.sees(/> Read @s:test:\/\/notes/)
    await user.type(enter)
    await user.sees(/⎘ @s:test:\/\/notes[^]*Noted\./)
    assert.match(JSON.stringify(engine.requests.at(-1)?.params.messages.at(-1)), /the notes/)
    await user.says('Order a car')
    await user.sees(/Call s__order\?/)
    await user.says('y')
    await user.sees(/\? s asks: Which car\?\n {4}1 red\n {4}2 blue[^]*\nColour:[^]*Enter answers · Esc cancels/)
    await user.paste('bl\nue')
    await user.sees(/\nColour: bl ue\n/)
    await user.type('\x7f\x7f\x7fu\x7fue' + enter)
    await user.sees(/\nextras \(several with commas\):/)
    await user.type('\x1b')
    await user.sees(/└ s__order: \{"action":"cancel"\}[^]*Ordered\./)
    await user.says('/mcp restart s')
    await user.sees(/restart s\n\n? {2}✓ s: 13 tools/)
    await user.type('\x04')
    assert.equal(await user.left, 0)
  } finally {
    await user.type('\x03\x04')
    await listening.close({ graceMs: 0 })
  }
})

test('Esc stops /mcp restart of a server that does not get ready', async () => {
  process.env['XDG_DATA_HOME'] = process.env['XDG_STATE_HOME'] = folder
  process.env['TERM'] = 'xterm-256color'
  const silent = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] }
  const file = fileOf({ mcpServers: { silent } })
  const { flags } = await parse(['chat', '--engine', 'offline', '--no-save', '--mcp', file])
  const user = new User(new VirtualTerminal(80, 24), (input, output) => openChat([], flags, { input, output }))
  try {
    await user.sees(/Starting the MCP servers/)
    await user.type('\x1b')
    await user.sees(/silent: it was stopped before it was ready[^]*Ask anything/)
    await user.says('/mcp restart silent')
    await user.type('\x1b')
    await user.sees(/restart silent\n\n? {2}✗ silent: it was stopped before it was ready/)
    await user.type('\x04')
    assert.equal(await user.left, 0)
  } finally {
    await user.type('\x03\x04')
  }
})
