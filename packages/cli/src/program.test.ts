import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { after } from 'node:test'
import { promisify } from 'node:util'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { script, type ScriptEngine, type ScriptedReply, type Step } from 'colloquy/engines'
import type { MessageParam } from 'colloquy/protocol'
import { builtProgram } from '../../../test/built-program.ts'
import { programEnvironment } from '../../../test/program-environment.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-program-'))
after(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  stdout: string
  stderr: string
  code: number | null
  signal: string | null
}

interface Running {
  child: ChildProcess
  ended: Promise<Ended>
  /** Standard output so far. */
  stdout(): string
}

let homes = 0
/** Empty folders for the files of one test. */
function home(): Record<string, string> {
  const place = join(folder, String(++homes))
  return { XDG_DATA_HOME: join(place, 'data'), XDG_STATE_HOME: join(place, 'state') }
}

/** Starts the program without the environment of this machine. With `CI` set it looks for no models here. */
function start(words: string[], env = home(), input: string | Buffer = '', output: 'pipe' | number = 'pipe'): Running {
  const child = spawn(process.execPath, [builtProgram, ...words], {
    env: {
      ...programEnvironment,
      HOME: folder,
      CI: '1',
      ...env,
    },
    cwd: folder,
    stdio: ['pipe', output, 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin!.on('error', () => {}).end(input)
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    return { stdout, stderr, code: code as number | null, signal: signal as string | null }
  })
  return { child, ended, stdout: () => stdout }
}

function run(words: string[], env?: Record<string, string>, input?: string | Buffer): Promise<Ended> {
  return start(words, env, input).ended
}

/** Runs the body with a server that replies by the script, and the environment that points to it. */
async function served(
  steps: (ScriptedReply | Step)[],
  body: (env: Record<string, string>, engine: ScriptEngine) => Promise<void>,
): Promise<void> {
  const engine = script(steps)
  const listening = await listen(createServer({ engine, keys: ['sk-right'] }))
  try {
    await body({ ...home(), ANTHROPIC_BASE_URL: listening.url, ANTHROPIC_API_KEY: 'sk-right' }, engine)
  } finally {
    await listening.close({ graceMs: 0 })
  }
}

/** Waits until standard output contains the text. Fails if the program ends before that. */
async function output({ stdout, ended }: Running, text = ''): Promise<void> {
  let end: Ended | undefined
  void ended.then((outcome) => (end = outcome))
  while (stdout() === '' || !stdout().includes(text)) {
    if (end !== undefined) assert.fail(`The program ended with ${end.code}: ${end.stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function lastText(messages: readonly MessageParam[]): unknown {
  return messages.at(-1)?.content
}

test('a piped question gets one reply without a key, and exit code 0', async () => {
  const { stdout, stderr, code } = await run([], home(), 'Hello\n')
  assert.match(stdout, /offline engine/)
  assert.ok(stdout.endsWith('\n'))
  assert.deepEqual({ stderr, code }, { stderr: '', code: 0 })
})

test('piped text follows the prompt in a <stdin> block', async () => {
  await served(['Fine.'], async (env, engine) => {
    const { stdout } = await run(['ask', 'Review', 'this'], env, 'a < b\n')
    assert.equal(stdout, 'Fine.\n')
    assert.equal(lastText(engine.requests[0]!.params.messages), 'Review this\n\n<stdin>\na < b\n</stdin>')
  })
})

test('no more of standard input is read than a request may have', async () => {
  const { stderr, code } = await run(['ask', 'Review'], home(), 'x'.repeat(32 * 1024 * 1024 + 1))
  // A busy machine may take long to read so much, which the program says.
  assert.match(stderr, /^(?:Reading standard input; .*\n)?Cannot read standard input: it has more than 33\.6 MB\n$/)
  assert.equal(code, 2)
})

test('the reply streams to standard output while it arrives', async () => {
  await served([{ reply: 'one two three', after: 3, stall: true }], async (env) => {
    const running = start(['ask', 'count'], env)
    await output(running, 'one')
    running.child.kill('SIGKILL')
    assert.equal((await running.ended).signal, 'SIGKILL')
  })
})

test('a reply to a pipe is written byte for byte', async () => {
  const reply = '# Title\n\n```js\nconst a = 1\n```\n\n| a | b |\n|---|---|\n| \u001b[31mred | 日本 |\n'
  await served([reply], async (env) => {
    assert.equal((await run(['ask', 'x'], env)).stdout, reply)
  })
})

const failures: [string, Step, number, RegExp][] = [
  ['overloaded', { error: { type: 'overloaded_error' } }, 4, /^The API is overloaded: .+ \(overloaded_error, req_/],
  ['rate-limited', { error: { type: 'rate_limit_error' } }, 4, /^Too many requests: .+ \(rate_limit_error, req_/],
  ['a failing API', { error: { type: 'api_error' } }, 1, /^The API failed: .+ \(api_error, req_/],
  [
    'a rejected request',
    { error: { type: 'invalid_request_error', message: 'too odd' } },
    6,
    /^The request was rejected: too odd/,
  ],
  ['an error in the stream', { reply: 'half of it', after: 4, error: { type: 'overloaded_error' } }, 4, /overloaded/i],
  ['a cut connection', { reply: 'half of it', after: 4, cut: 'reset' }, 5, /./],
]

for (const [name, step, code, line] of failures) {
  test(`${name} gives one line on standard error and exit code ${code}`, async () => {
    await served([step], async (env) => {
      const ended = await run(['ask', 'x', '--retries', '0'], env)
      assert.match(ended.stderr, line)
      assert.equal(ended.stderr.split('\n').length, 2)
      assert.equal(ended.code, code)
    })
  })
}

test('a wrong key gives exit code 3 without a retry', async () => {
  await served([], async (env, engine) => {
    const ended = await run(['ask', 'x'], { ...env, ANTHROPIC_API_KEY: 'sk-wrong' })
    assert.match(ended.stderr, /^The key was not accepted: invalid x-api-key\. \(authentication_error, req_/)
    assert.equal(ended.code, 3)
    assert.equal(engine.requests.length, 0)
    assert.doesNotMatch(ended.stderr, /sk-wrong|Retry/)
  })
})

test('a retry is announced with its reason and delay', async () => {
  await served([{ error: { type: 'overloaded_error' } }, 'At last.'], async (env) => {
    const { stdout, stderr, code } = await run(['ask', 'x'], env)
    assert.match(stderr, /overloaded.* Retry 1 of 2 in [\d.]+ s\n$/)
    assert.deepEqual({ stdout, code }, { stdout: 'At last.\n', code: 0 })
  })
})

test('a missing key gives exit code 3 and the remedy', async () => {
  const { stderr, code } = await run(['ask', 'x', '--engine', 'api'])
  assert.match(
    stderr,
    /^No API key\. Run colloquy keys set anthropic, set ANTHROPIC_API_KEY, or try .*--engine offline/,
  )
  assert.equal(code, 3)
})

test('a model that the API does not have gets the name that was meant', async () => {
  await served([], async (env) => {
    const { stderr, code } = await run(['ask', '-m', 'claude-sonnet-4.6', 'x'], env)
    assert.match(stderr, /^Not found: .*claude-sonnet-4\.6.* Did you mean claude-sonnet-4-6\?\n$/)
    assert.equal(code, 6)
  })
})

test('an unreachable host gives exit code 5 and is named', async () => {
  const { stderr, code } = await run(['ask', 'x', '--retries', '0', '--engine', 'http://127.0.0.1:9'])
  assert.match(stderr, /^Can't reach 127\.0\.0\.1:9: nothing listens there \(ECONNREFUSED\)\./)
  assert.equal(code, 5)
})

const mistakes: [string[], RegExp][] = [
  [['chta'], /^No command chta\. Did you mean colloquy chat\?/],
  [['ask', '--modle', 'x'], /^No flag --modle\. Did you mean --model\?/],
  [['ask', '--output', 'jason'], /^Cannot use --output jason: it must be one of text, json, stream-json/],
  [['ask', '--max-tokens', 'many'], /^Cannot use --max-tokens many: it must be a whole number/],
  [['ask', '--max-cost', '0'], /^Cannot use --max-cost 0: it must be a number above 0/],
  [['ask', '--engine', 'ftp://x', 'hi'], /^Cannot use --engine ftp:\/\/x/],
  [['ask', '-f', 'no-such-file', 'hi'], /^Cannot attach no-such-file: no such file or folder/],
  [['ask', '-s', '@no-such-file', 'hi'], /^Cannot read the system prompt from no-such-file: no such file/],
  [['ask', '-r', 'nothing', 'hi'], /^No chat nothing\./],
  [['ask', '-c', '--no-save', 'hi'], /^Cannot use --no-save with -c or -r: a chat that continues is saved/],
  [['ask', '--json-schema', 'no-such-file', 'hi'], /^Cannot read the JSON Schema from no-such-file: no such file/],
  [['ask', '--json-schema', '{"type":', 'hi'], /^Cannot use --json-schema {"type":: it is not JSON/],
  [
    ['ask', '--json-schema', '{"type":"array"}', 'hi'],
    /^Cannot use --json-schema {"type":"array"}: JSON schema must be an object/,
  ],
  [['ask', '--json-schema', '{"type":"object"}', '-x', 'hi'], /^Cannot use --json-schema with --extract/],
  [['ask'], /^Nothing to ask\./],
]

for (const [words, line] of mistakes) {
  test(`colloquy ${words.join(' ')}: one sentence and exit code 2`, async () => {
    const { stdout, stderr, code } = await run(words)
    assert.match(stderr, line)
    assert.deepEqual({ stdout, code, lines: stderr.split('\n').length }, { stdout: '', code: 2, lines: 2 })
  })
}

test('--output json prints one object, after a success and after a failure', async () => {
  await served(['Blue.', { error: { type: 'invalid_request_error', message: 'no' } }], async (env) => {
    const good = await run(['ask', 'x', '--output', 'json'], env)
    const result = JSON.parse(good.stdout) as Record<string, unknown>
    assert.equal(result['text'], 'Blue.')
    assert.equal(result['stop_reason'], 'end_turn')
    assert.equal(result['error'], null)
    assert.match(String(result['request_id']), /^req_/)
    const bad = await run(['ask', 'x', '--output', 'json'], env)
    const failed = JSON.parse(bad.stdout) as { error: object; text: string }
    assert.deepEqual(Object.keys(failed), Object.keys(result))
    assert.deepEqual(failed.error, {
      type: 'invalid_request_error',
      message: 'The request was rejected: no.',
      exit_code: 6,
    })
    assert.equal(bad.code, 6)
  })
})

test('--output stream-json prints the events of the API, then the result', async () => {
  await served(['Blue.'], async (env) => {
    const { stdout } = await run(['ask', 'x', '--output', 'stream-json'], env)
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    assert.deepEqual([types[0], types.at(-2), types.at(-1)], ['message_start', 'message_stop', 'result'])
  })
})

test('ask says why a reply has no text', async () => {
  const content = [{ type: 'tool_use' as const, id: 't', name: 'get_weather', input: {} }]
  await served([{ content, stop_reason: 'tool_use' }, ''], async (env) => {
    const calling = await run(['ask', 'x'], env)
    const stderr = 'The reply has no text: it calls get_weather, and there are no tools here.\n'
    assert.partialDeepStrictEqual(calling, { stdout: '', stderr, code: 0 })
    assert.equal((await run(['ask', 'x'], env)).stderr, 'The reply has no text.\n')
  })
})

test('a reply that was cut off gives exit code 8 only with --strict', async () => {
  const cut: Step = { times: 2, reply: { content: 'Well', stop_reason: 'max_tokens' } }
  await served([cut], async (env) => {
    const lenient = await run(['ask', 'x'], env)
    assert.deepEqual([lenient.stdout, lenient.code], ['Well\n', 0])
    assert.match(lenient.stderr, /^Cut off at \d+ tokens/)
    assert.equal((await run(['ask', 'x', '--strict'], env)).code, 8)
  })
})

test('a prompt over --max-cost is not sent and gives exit code 7', async () => {
  await served(['never'], async (env, engine) => {
    const { stderr, code } = await run(['ask', 'x '.repeat(2000), '--max-cost', '0.0001'], env)
    assert.match(stderr, /^Cannot send within the budget of \$0\.0001: \$0\.00 are spent and the call could take \$/)
    assert.equal(code, 7)
    assert.equal(engine.requests.length, 0)
  })
})

test('a reply that --max-cost cuts off says so and gives exit code 7', async () => {
  const usage = { input_tokens: 5, output_tokens: 40, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
  const cut: ScriptedReply = { model: 'claude-opus-4-8', content: 'Well', stop_reason: 'max_tokens', usage }
  await served([{ times: 2, reply: cut }], async (env) => {
    const words = ['ask', 'x', '-m', 'claude-opus-4-8', '--max-cost', '0.002']
    const shortened = await run([...words, '--max-tokens', '5000'], env)
    assert.deepEqual([shortened.stderr, shortened.code], ['Cut off at 40 tokens: --max-cost allows no more.\n', 7])
    const whole = await run([...words, '--max-tokens', '40'], env)
    assert.deepEqual([whole.stderr, whole.code], ['Cut off at 40 tokens: --max-tokens sets the limit.\n', 0])
  })
})

test('SIGINT during a reply keeps the partial text and gives exit code 130', async () => {
  await served([{ reply: 'one two three', after: 3, stall: true }, 'and on'], async (env, engine) => {
    const running = start(['ask', 'count'], env)
    await output(running)
    running.child.kill('SIGINT')
    const { stdout, stderr, code } = await running.ended
    assert.ok('one two three\n'.startsWith(stdout.trimEnd()))
    assert.deepEqual({ stderr, code }, { stderr: '', code: 130 })
    await run(['ask', '-c', 'go on'], env)
    const { messages } = engine.requests[1]!.params
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    )
    assert.match(JSON.stringify(messages[1]), new RegExp(stdout.trimEnd()))
  })
})

test('SIGTERM gives exit code 143', async () => {
  await served([{ reply: 'one two three', after: 3, stall: true }], async (env) => {
    const running = start(['ask', 'count'], env)
    await output(running)
    running.child.kill('SIGTERM')
    assert.equal((await running.ended).code, 143)
  })
})

test('one signal ends ask while it reads its input', { skip: process.platform === 'win32' }, async () => {
  const pipe = join(folder, 'pipe')
  await promisify(execFile)('mkfifo', [pipe])
  const { child, ended } = start(['ask', 'hi', '-f', pipe])
  // The pipe opens when the program has opened it.
  const writer = await open(pipe, 'w')
  child.kill('SIGTERM')
  assert.equal((await ended).signal, 'SIGTERM')
  await writer.close()
})

test('a closed pipe ends the program silently with exit code 0', async () => {
  const reply = Array.from({ length: 2000 }, (_, line) => `line ${line}`).join('\n')
  await served([{ reply, eventDelayMs: 1 }], async (env) => {
    const running = start(['ask', 'x'], env)
    await output(running)
    running.child.stdout!.destroy()
    const { stderr, code } = await running.ended
    assert.deepEqual({ stderr, code }, { stderr: '', code: 0 })
  })
})

test('-c continues the last chat, -r one found by words', async () => {
  await served([{ times: 4, reply: 'Yes.' }], async (env, engine) => {
    await run(['ask', 'A question about lighthouses'], env)
    await run(['ask', 'Another one'], env)
    await run(['ask', '-r', 'lighthouses', 'and more?'], env)
    await run(['ask', '-c', 'still?'], env)
    const { messages } = engine.requests[3]!.params
    assert.deepEqual(
      messages.map(({ content }) =>
        typeof content === 'string' ? content : content.map((block) => ('text' in block ? block.text : ''))[0],
      ),
      ['A question about lighthouses', 'Yes.', 'and more?', 'Yes.', 'still?'],
    )
  })
})

test('chat list, search, show, export, rename and delete', async () => {
  await served(['The keeper lives **alone**.'], async (env) => {
    await run(['ask', 'Who keeps the lighthouse?'], env)
    const [chat] = JSON.parse((await run(['chat', 'list', '--json'], env)).stdout) as { id: string; title: string }[]
    assert.equal(chat!.title, 'Who keeps the lighthouse?')
    const id = chat!.id.slice(-6)
    assert.match(
      (await run(['chat', 'list'], env)).stdout,
      new RegExp(`^${id}  Who keeps.* · just now · 2 messages\n$`),
    )
    assert.match((await run(['chat', 'search', 'keeper'], env)).stdout, /assistant: .*keeper/)
    assert.match((await run(['chat', 'show', id], env)).stdout, /\*\*You:\*\*\n\nWho keeps[^]*lives \*\*alone\*\*\./)
    const exported = JSON.parse((await run(['chat', 'export', id, '--format', 'json'], env)).stdout) as {
      messages: object[]
    }
    assert.equal(exported.messages.length, 2)
    assert.match((await run(['chat', 'export', id, '--format', 'html'], env)).stdout, /^<!doctype html>/)
    const whole = (await run(['chat', 'export', id, '--format', 'jsonl'], env)).stdout
    const other = home()
    const imported = await run(['chat', 'import', '-'], other, whole)
    assert.match(imported.stdout, /^\w{6} {2}Who keeps the lighthouse\? · colloquy · 2 messages\n$/)
    assert.equal(imported.stderr, '')
    const again = (await run(['chat', 'export', 'lighthouse', '--format', 'jsonl'], other)).stdout
    const messagesOf = (text: string): unknown[] => {
      const lines = text.trimEnd().split('\n')
      return lines.slice(1).map((line) => (JSON.parse(line) as { message: unknown }).message)
    }
    assert.deepEqual(messagesOf(again), messagesOf(whole))
    await run(['chat', 'rename', id, 'The', 'keeper'], env)
    assert.match((await run(['chat', 'delete', id], env)).stderr, /add --yes/)
    assert.match((await run(['chat', 'delete', id, '--yes'], env)).stdout, /^Deleted .* “The keeper”/)
    assert.equal((await run(['chat', 'list'], env)).stdout, 'No chats yet. colloquy chat starts one.\n')
  })
})

test('chat import adds the chats of a file and reports what it repaired', async () => {
  const reply = { role: 'assistant', model: 'claude-sonnet-4-6', content: [{ type: 'text', text: 'So do I.' }] }
  const transcript = [
    { type: 'user', uuid: 'a', parentUuid: null, message: { role: 'user', content: 'I like trains' } },
    { type: 'assistant', uuid: 'b', parentUuid: 'a', message: reply },
  ].map((line) => JSON.stringify(line))
  const lines = [...transcript, '{"type":"user","uuid":"c","mess']
  // As Windows PowerShell writes it.
  await writeFile(join(folder, 'old.jsonl'), `\ufeff${lines.join('\n')}`, 'utf16le')
  await served([{ times: 2, reply: 'Fine.' }], async (env, engine) => {
    const imported = await run(['chat', 'import', 'old.jsonl'], env)
    assert.match(imported.stdout, /^\w{6} {2}I like trains · claude-code · 2 messages\n$/)
    assert.match(imported.stderr, /^line 3 skipped: .+\n$/)
    assert.equal(imported.code, 0)
    await run(['ask', '-c', 'and now?'], env)
    const { model, max_tokens, messages } = engine.requests[0]!.params
    assert.equal(model, 'claude-sonnet-4-6')
    assert.equal(max_tokens, 8192)
    assert.match(JSON.stringify(messages), /I like trains.*So do I\..*and now\?/)
    const exported = await run(['chat', 'import', '-', '--json', '-m', 'claude-haiku-4-5'], env, transcript.join('\n'))
    const [{ title, report }] = JSON.parse(exported.stdout) as [{ title: string; report: { notes: unknown[] } }]
    assert.deepEqual([title, report.notes], ['I like trains', []])
    await run(['ask', '-c', 'and now?'], env)
    assert.equal(engine.requests[1]!.params.model, 'claude-haiku-4-5')
  })
})

test('chat import names what it cannot read', async () => {
  assert.equal(
    (await run(['chat', 'import', 'no-such-file'])).stderr,
    'Cannot import no-such-file: no such file or folder\n',
  )
  assert.match((await run(['chat', 'import'])).stderr, /^Cannot import: give a file/)
  const { stderr, code } = await run(['chat', 'import', '-'], home(), 'name,colour\nAda,red\n')
  assert.equal(stderr.split('\n').length, 2)
  assert.deepEqual([code, stderr.startsWith('Cannot')], [1, true])
})

test('the offline engine answers for a retired model and names its successor', async () => {
  const { stdout, code } = await run(['ask', '--engine', 'offline', '-m', 'claude-3-opus-20240229', 'What is 2 + 2?'])
  assert.match(stdout, /^Note: claude-3-opus-20240229 was retired on .* Use claude-\S+ instead\.\n\n2 \+ 2 = 4\n$/)
  assert.equal(code, 0)
})

test('chat check finds damage, and the rest of the chat can be read', async () => {
  await served([{ times: 2, reply: 'Yes.' }], async (env) => {
    await run(['ask', 'A question about lighthouses'], env)
    await run(['ask', '-c', 'and more?'], env)
    assert.deepEqual((({ stdout, code }) => [stdout, code])(await run(['chat', 'check'], env)), [
      'No damage found.\n',
      0,
    ])
    const database = new DatabaseSync(join(env['XDG_DATA_HOME']!, 'colloquy', 'chats.db'))
    database.exec("UPDATE message SET json = replace(json, 'lighthouses', 'warehouses') WHERE number = 1")
    const damaged = await run(['chat', 'check'], env)
    assert.match(damaged.stdout, /^\w{6} {2}message 1: It is damaged\.\n$/)
    assert.equal(damaged.code, 1)
    const [{ messageId }] = JSON.parse((await run(['chat', 'check', '--json'], env)).stdout) as [{ messageId: string }]
    assert.equal(messageId, '1')
    const shown = await run(['chat', 'show', 'lighthouses'], env)
    assert.match(shown.stdout, /\*Cannot read message 1 of conversation \S+: it is damaged\*[^]*and more\?[^]*Yes\./)
    const refused = await run(['ask', '-c', 'still?'], env)
    assert.match(refused.stderr, /^Cannot read message 1 of conversation \S+: it is damaged\n$/)
    database.exec("UPDATE settings SET json = '{'")
    assert.match(
      (await run(['ask', '-c', 'hi'], env)).stderr,
      /settings .* are damaged\. To replace them, give a model with -m\n$/,
    )
    database.close()
  })
})

test('ask - reads standard input, also after a prompt', async () => {
  await served([{ times: 2, reply: 'Fine.' }], async (env, engine) => {
    await run(['ask', '-'], env, 'What is this?\n')
    await run(['ask', 'Review', '-'], env, 'a < b\n')
    assert.deepEqual(
      engine.requests.map(({ params }) => lastText(params.messages)),
      ['What is this?', 'Review\n\n<stdin>\na < b\n</stdin>'],
    )
  })
})

test('--no-save writes no file', async () => {
  const env = home()
  await run(['ask', 'Hello', '--no-save'], env)
  await assert.rejects(readFile(join(env['XDG_DATA_HOME']!, 'colloquy', 'chats.db')), { code: 'ENOENT' })
})

test('-f attaches a file, or the piped text', async () => {
  await writeFile(join(folder, 'notes.md'), 'keep this')
  await served([{ times: 2, reply: 'Read.' }], async (env, engine) => {
    await run(['ask', 'Sum up', '-f', 'notes.md'], env)
    await run(['ask', 'Sum up', '-f', '-'], env, 'piped text')
    const contents = engine.requests.map(({ params }) => JSON.stringify(lastText(params.messages)))
    assert.match(contents[0]!, /"document".*keep this.*Sum up/)
    assert.match(contents[1]!, /"document".*piped text.*"text":"Sum up"/)
  })
})

test('a piped PDF is attached, and bytes of an unknown kind are refused', async () => {
  await served(['Read.'], async (env, engine) => {
    await run(['ask', 'Sum up'], env, '%PDF-1.4\n\0')
    const content = JSON.stringify(lastText(engine.requests[0]!.params.messages))
    assert.match(content, /"document".*"application\/pdf".*"text":"Sum up"/)
    const { stderr, code } = await run(['ask', 'Sum up'], env, 'UTF-16:\0h\0i')
    assert.match(stderr, /^Cannot send stdin: it must be PNG, .* or UTF-8 text: found other bytes\n$/)
    assert.deepEqual([code, engine.requests.length], [2, 1])
  })
})

test('piped text with bytes of another encoding is sent, and a line says so', async () => {
  await served(['Read.'], async (env, engine) => {
    const { stderr } = await run(['ask', 'Sum up'], env, Buffer.from('caf\xe9', 'latin1'))
    assert.equal(stderr, 'Standard input is not all UTF-8: the model reads � in the place of other bytes.\n')
    assert.match(lastText(engine.requests[0]!.params.messages) as string, /caf\ufffd/)
  })
})

test('-x writes only the code, -o writes to a file', async () => {
  await served([{ times: 3, reply: 'Here:\n\n```sh\necho hi\n```\n\nDone.' }], async (env) => {
    assert.equal((await run(['ask', 'x', '-x'], env)).stdout, 'echo hi\n')
    const { stdout } = await run(['ask', 'x', '-o', 'reply.md'], env)
    assert.equal(stdout, '')
    assert.match(await readFile(join(folder, 'reply.md'), 'utf8'), /^Here:[^]*Done\.\n$/)
    await run(['ask', 'x', '-x', '-o', 'hi.sh'], env)
    assert.equal(await readFile(join(folder, 'hi.sh'), 'utf8'), 'echo hi\n')
  })
})

test('-xLANGUAGE writes the first block in the language, or names those that there are', async () => {
  const reply = 'First:\n```sh\npip install x\n```\n1. Then:\n   ```py\n   if x:\n     go()\n   ```\n'
  await served([{ times: 2, reply }, { reply: 'print(6 * 7)' }], async (env) => {
    const python = await run(['ask', '-s', '-xsh', '-xpython', 'x'], env)
    assert.deepEqual(python, { stdout: 'if x:\n  go()\n', stderr: '', code: 0, signal: null })
    const missing = await run(['ask', '-xrust', 'x'], env)
    assert.deepEqual([missing.stdout, missing.code], ['', 1])
    assert.match(missing.stderr, /^Cannot extract rust code: the reply has 2 code blocks: sh, py\n$/)
    const plain = await run(['ask', '-x', 'x'], env)
    assert.equal(plain.stdout, 'print(6 * 7)\n')
    assert.match(plain.stderr, /^The reply has no code block/)
  })
})

const days = {
  type: 'object',
  properties: { days: { type: 'array', items: { type: 'string' } } },
  required: ['days'],
}

test('--json-schema prints the JSON of the reply when it satisfies the schema', async () => {
  await served([{ times: 3, reply: ' {"days":["Monday"]}\n' }], async (env, engine) => {
    await writeFile(join(folder, 'days.json'), JSON.stringify(days))
    const fromFile = await run(['ask', 'x', '--json-schema', 'days.json'], env)
    assert.deepEqual(fromFile, { stdout: '{"days":["Monday"]}\n', stderr: '', code: 0, signal: null })
    assert.deepEqual(engine.requests[0]!.params.output_config?.format, {
      type: 'json_schema',
      schema: { ...days, additionalProperties: false },
    })
    const asArgument = await run(['ask', 'x', '--json-schema', JSON.stringify(days), '--output', 'json'], env)
    assert.deepEqual(JSON.parse(asArgument.stdout).parsed_output, { days: ['Monday'] })
    await run(['ask', 'x', '--json-schema', 'days.json', '-o', 'monday.json'], env)
    assert.equal(await readFile(join(folder, 'monday.json'), 'utf8'), '{"days":["Monday"]}\n')
  })
})

test('--json-schema prints nothing and fails when the reply does not satisfy the schema', async () => {
  const cut: ScriptedReply = { content: '{"days":["Mon', stop_reason: 'max_tokens' }
  await served([{ times: 2, reply: '{"days":[6]}' }, 'Monday', cut], async (env) => {
    const words = ['ask', 'x', '--json-schema', JSON.stringify(days)]
    const wrong = await run([...words, '-o', 'wrong.json'], env)
    assert.match(wrong.stderr, /^Cannot parse the structured output: .*days\.0: must be a string: found 6\n$/)
    assert.deepEqual([wrong.stdout, wrong.code], ['', 1])
    await assert.rejects(readFile(join(folder, 'wrong.json')), { code: 'ENOENT' })
    const asJson = JSON.parse((await run([...words, '--output', 'json'], env)).stdout) as Record<string, unknown>
    assert.deepEqual([asJson['text'], asJson['parsed_output']], ['{"days":[6]}', null])
    const prose = await run(words, env)
    assert.match(prose.stderr, /^Failed to parse structured output as JSON: .*\n$/)
    assert.deepEqual([prose.stdout, prose.code], ['', 1])
    const incomplete = await run(words, env)
    assert.match(incomplete.stderr, /^Cut off at \d+ tokens.*\n$/)
    assert.deepEqual([incomplete.stdout, incomplete.code], ['', 8])
  })
})

test('-o opens the file before the request, and keeps its content until there is a reply', async () => {
  await served(['Done.'], async (env, engine) => {
    const missing = await run(['ask', 'x', '-o', 'no-such-folder/reply.md'], env)
    assert.equal(missing.stderr, 'Cannot write no-such-folder/reply.md: no such file or folder\n')
    const folderGiven = await run(['ask', 'x', '-o', folder], env)
    assert.equal(folderGiven.stderr, `Cannot write ${folder}: it is a folder\n`)
    assert.deepEqual([missing.code, folderGiven.code, engine.requests.length], [1, 1, 0])
    await writeFile(join(folder, 'old.md'), 'old content, longer than the reply')
    await run(['ask', 'x', '-o', 'old.md'], { ...env, ANTHROPIC_API_KEY: 'sk-wrong' })
    assert.equal(await readFile(join(folder, 'old.md'), 'utf8'), 'old content, longer than the reply')
    await run(['ask', 'x', '-o', 'new.md'], { ...env, ANTHROPIC_API_KEY: 'sk-wrong' })
    await assert.rejects(readFile(join(folder, 'new.md')), { code: 'ENOENT' })
    await run(['ask', 'x', '-o', 'old.md'], env)
    assert.equal(await readFile(join(folder, 'old.md'), 'utf8'), 'Done.\n')
  })
})

test('a full disk gives one sentence and exit code 1', { skip: !existsSync('/dev/full') }, async () => {
  const full = openSync('/dev/full', 'w')
  for (const words of [['--help'], ['models'], ['chat', 'list'], ['ask', '--engine', 'offline', 'hi']]) {
    const { stderr, code } = await start(words, home(), '', full).ended
    assert.deepEqual([stderr, code], ['Cannot write to standard output: no space left on the disk.\n', 1], words[0])
  }
  closeSync(full)
  await served(['It was paid for.'], async (env) => {
    const { stdout, stderr, code } = await run(['ask', 'x', '--no-save', '-o', '/dev/full'], env)
    assert.deepEqual(
      { stdout, stderr, code },
      { stdout: 'It was paid for.\n', stderr: 'Cannot write /dev/full: no space left on the disk\n', code: 1 },
    )
  })
})

test('--usage prints tokens and cost, and no price for an unknown model', async () => {
  const usage = {
    input_tokens: 1200,
    output_tokens: 900,
    cache_read_input_tokens: 5000,
    cache_creation_input_tokens: 300,
  }
  const reply = (model: string): ScriptedReply => ({ model, content: 'Hm.', usage })
  await served([reply('claude-opus-4-8'), reply('claude-unknown')], async (env) => {
    const { stdout, stderr } = await run(['ask', 'x', '--usage'], env)
    assert.equal(stdout, 'Hm.\n')
    assert.match(
      stderr,
      /^1\.2k in \(5\.0k cached, 300 written\) · 900 out · .* · \$0\.0329 · chat \$0\.0329 · context <1%\n$/,
    )
    assert.match((await run(['ask', 'x', '--usage'], env)).stderr, /no price for claude-unknown/)
  })
})

test('a file that is not a database gives one sentence and is not changed', async () => {
  const env = home()
  await run(['ask', 'Hello'], env)
  const file = join(env['XDG_DATA_HOME']!, 'colloquy', 'chats.db')
  await writeFile(file, 'this is not a database, but long enough to be looked at'.repeat(40))
  const before = await readFile(file)
  const { stderr, code } = await run(['ask', 'Hello'], env)
  assert.equal(stderr.split('\n').length, 2)
  assert.match(stderr, /chats\.db/)
  assert.equal(code, 1)
  assert.deepEqual(await readFile(file), before)
})

test('--help shows examples, for the program and each command', async () => {
  for (const words of [
    ['--help'],
    ['ask', '--help'],
    ['chat', '-h'],
    ['serve', '-h'],
    ['models', '-h'],
    ['paths', '-h'],
  ]) {
    const { stdout, code } = await run(words)
    // Each example is a command and what it does.
    const lines = words[0] === 'serve' ? 10 : 6
    assert.equal(stdout.split('Examples:\n')[1]!.trimEnd().split('\n').length, lines)
    assert.equal(code, 0)
  }
  assert.match((await run(['-V'])).stdout, /^colloquy \d+\.\d+\.\d+\n$/)
})

test('paths prints the file locations', async () => {
  const env = home()
  const paths = JSON.parse((await run(['paths', '--json'], env)).stdout) as { chats: string; history: string }
  assert.equal(paths.chats, join(env['XDG_DATA_HOME']!, 'colloquy', 'chats.db'))
  assert.equal(paths.history, join(env['XDG_STATE_HOME']!, 'colloquy', 'history'))
})
