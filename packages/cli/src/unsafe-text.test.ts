import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { script, type ScriptedReply, type Step } from 'colloquy/engines'
import { builtProgram } from '../../../test/built-program.ts'
import { freePort } from '../../../test/free-port.ts'
import { programEnvironment } from '../../../test/program-environment.ts'

const program = join(import.meta.dirname, 'program.ts')
const folder = await mkdtemp(join(tmpdir(), 'colloquy-unsafe-'))
after(() => rm(folder, { recursive: true, force: true }))

/** Sets the clipboard, renames the window, clears the screen, reverses text; by C0, C1, a bidi control and entities. */
const attack = '\x1b]52;c;QQ==\x07\x1b]0;title\x07\x1b[2J\x9b2J\u202edlrow\u2066 &#8238; &#x9b;2J &#27;[2J'
/** Everything but text, line breaks, colours, links and what `Screen` needs to repaint its lines. */
const unsafe = /(?![\n\r\t])\p{Cc}|\p{Bidi_Control}/u
const own = /\x1b\[[\d;]*m|\x1b\]8;;[\x20-\x7e]*\x1b\\|\x1b\[\d*[ABC]|\x1b\[[JK]|\x1b\[\?2026[hl]/g

interface Written {
  text: string
  code: number | null
}

/** Runs command lines one after the other in one process, whose standard output says that it is a terminal. */
const harness = `
  process.stdout.isTTY = process.stderr.isTTY = true
  const { run } = await import(process.argv[1])
  const write = process.stdout.write
  const results = []
  for (const words of JSON.parse(process.argv[2])) {
    let text = ''
    process.stdout.write = process.stderr.write = (piece) => ((text += piece), true)
    const code = await run(words)
    results.push({ text, code })
  }
  write.call(process.stdout, JSON.stringify(results))
`

async function onTerminal(commands: readonly string[][], env: Record<string, string>): Promise<Written[]> {
  const options = ['--conditions=@colloquy/source', '--input-type=module', '-e', harness]
  const child = spawn(process.execPath, [...options, program, JSON.stringify(commands)], {
    env: { ...programEnvironment, HOME: folder, ...env },
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let json = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (json += piece))
  await once(child, 'close')
  const written = JSON.parse(json) as Written[]
  for (const [index, words] of commands.entries()) assertSafe(written[index]!, words.join(' '))
  return written
}

function assertSafe({ text }: Written, name: string): void {
  assert.ok(text.length > 0, `${name} wrote nothing`)
  const rest = text.replaceAll(own, '')
  assert.doesNotMatch(rest, unsafe, `${name}: ${JSON.stringify(rest)}`)
}

let homes = 0

async function served(
  steps: (ScriptedReply | Step)[],
  body: (env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const listening = await listen(createServer({ engine: script(steps), lenient: true }))
  const place = join(folder, String(++homes))
  try {
    await body({
      XDG_DATA_HOME: join(place, 'data'),
      XDG_STATE_HOME: join(place, 'state'),
      ANTHROPIC_BASE_URL: listening.url,
      ANTHROPIC_API_KEY: 'any',
    })
  } finally {
    await listening.close({ graceMs: 0 })
  }
}

const reply = `lighthouse ${attack}\n\n\`\`\`sh\necho ${attack}\n\`\`\`\n\n| a ${attack} | b |\n|---|---|\n| ${attack} | c |\n`

test('text of a model reaches no terminal with control characters, by any command', async () => {
  await served([{ times: 5, reply }], async (env) => {
    const ask = ['ask', `question ${attack}`]
    const formats = [[], ['--plain'], ['-x'], ['--output', 'json'], ['--output', 'stream-json']]
    const asked = [...formats.map((flags) => [...ask, ...flags]), ['chat', 'list', '--json']]
    const listed = (await onTerminal(asked, env)).at(-1)!
    const [{ id }] = JSON.parse(listed.text) as [{ id: string }]
    const chats = [
      ['list'],
      ['search', 'lighthouse'],
      ['show', id],
      ['show', id, '--json'],
      ['export', id],
      ['export', id, '--format', 'json'],
      ['export', id, '--format', 'html'],
      ['rename', id, `title ${attack}`],
      ['list'],
      ['show', 'question'],
      ['delete', id],
      ['delete', id, '--yes'],
    ]
    await onTerminal(
      chats.map((words) => ['chat', ...words]),
      env,
    )
  })
})

test('text of a server reaches no terminal with control characters', async () => {
  const steps: (ScriptedReply | Step)[] = [
    { error: { type: 'invalid_request_error', message: `no ${attack}` } },
    { content: 'hello', model: `m${attack}` },
    { content: [{ type: 'tool_use', id: 'toolu_1', name: `f${attack}`, input: {} }], stop_reason: 'tool_use' },
  ]
  await served(steps, async (env) => {
    const asked = [['--retries', '0'], ['--usage'], ['--output', 'stream-json']]
    await onTerminal(
      asked.map((flags) => ['ask', 'hi', ...flags]),
      env,
    )
  })
})

test('words of the command line reach no terminal with control characters', async () => {
  const commands = [
    [`command${attack}`],
    ['ask', `--flag${attack}`],
    ['ask', '--output', attack],
    ['ask', '--max-tokens', attack],
    ['ask', '--engine', attack, 'hi'],
    ['ask', '--engine', 'offline', '-f', `none${attack}`, 'hi'],
    ['ask', '--engine', 'offline', '-s', `@none${attack}`, 'hi'],
    ['ask', '--engine', 'offline', '-o', `none${attack}/x`, 'hi'],
    ['ask', '--engine', 'offline', '-r', attack, 'hi'],
    ['chat', 'search', `none${attack}`],
    ['chat', 'show', attack],
    ['serve', '--key-file', `none${attack}`],
    ['serve', '--host', attack],
    ['paths'],
  ]
  const env = { XDG_DATA_HOME: join(folder, 'none'), XDG_STATE_HOME: join(folder, attack), ANTHROPIC_API_KEY: 'any' }
  await onTerminal(commands, env)
})

test('a client or an upstream cannot forge lines or control the terminal in the log of serve', async () => {
  const forged = '\n12:00:00  POST /v1/messages  200  FORGED\r\n\u2028FORGED\x85FORGED'
  const upstream = createHttpServer((request, response) => {
    request.resume().on('end', () => {
      const error = { type: 'invalid_request_error', message: `no${attack}${forged}` }
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ type: 'error', error }))
    })
  }).listen(0, '127.0.0.1')
  after(() => upstream.close())
  await once(upstream, 'listening')
  const { port } = upstream.address() as { port: number }
  for (const flags of [[], ['--json']]) {
    const free = await freePort()
    const url = `http://127.0.0.1:${free}`
    const words = ['serve', '--port', String(free), '--engine', `http://127.0.0.1:${port}`, ...flags]
    const child = spawn(process.execPath, [builtProgram, ...words], {
      env: {
        ...programEnvironment,
        HOME: folder,
        ANTHROPIC_API_KEY: 'k',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    await isServing(url, child)
    await fetch(`${url}/v1/messages${encodeURI(forged)}`, { method: 'POST', body: '{}' })
    await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: `m${attack}${forged}`,
        max_tokens: 5,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    })
    child.kill('SIGINT')
    await once(child, 'close')
    assertSafe({ text, code: 0 }, `serve ${flags.join(' ')}`)
    const lines = text.split(/[\n\r\x85\u2028\u2029]/).filter((line) => line.includes('FORGED'))
    assert.ok(
      lines.length > 0 && lines.every((line) => !line.startsWith('FORGED') && !line.startsWith('12:00:00')),
      text,
    )
  }
})

async function isServing(url: string, child: ChildProcess): Promise<void> {
  while (!(await fetch(`${url}/healthz`).catch(() => undefined))) {
    if (child.exitCode !== null) assert.fail(`serve ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
