import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { script, type ScriptEngine, type ScriptOptions, type ScriptedReply, type Step } from 'colloquy/engines'
import { withConfiguration } from '../../config/defaults.ts'
import { filePaths } from '../../file-paths.ts'
import { chat } from './chat.ts'
import { parse } from '../parse.ts'
import { enter, User } from '../../../../../test/terminal-user.ts'
import { VirtualTerminal } from '../../../../../test/virtual-terminal.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-chat-'))
after(() => rm(folder, { recursive: true, force: true }))
process.env['TERM'] = 'xterm-256color'
for (const name of Object.keys(process.env)) if (/^(?:ANTHROPIC|COLLOQUY|NO_COLOR)/.test(name)) delete process.env[name]

const controlC = '\x03'
const controlD = '\x04'
const escape = '\x1b'
const up = '\x1b[A'

interface Place {
  engine: ScriptEngine
  /** Starts the chat on a terminal of its own. */
  sit(words?: string[], size?: { columns: number; rows: number }): Promise<User>
}

let homes = 0

/** Runs the body with a server that replies by the script and with empty home folders. */
async function at(
  steps: (ScriptedReply | Step)[],
  body: (place: Place) => Promise<void>,
  options?: ScriptOptions,
): Promise<void> {
  const engine = script(steps, options)
  const listening = await listen(createServer({ engine }))
  const home = join(folder, String(++homes))
  process.env['XDG_DATA_HOME'] = join(home, 'data')
  process.env['XDG_STATE_HOME'] = join(home, 'state')
  process.env['XDG_CONFIG_HOME'] = join(home, 'config')
  async function sit(words: string[] = [], { columns = 80, rows = 24 } = {}): Promise<User> {
    const { flags, words: prompt } = await parse(['chat', '--engine', listening.url, '--retries', '0', ...words])
    const terminal = new VirtualTerminal(columns, rows)
    const configured = await withConfiguration(flags)
    return new User(terminal, (input, output) => chat(prompt, configured, { input, output }))
  }
  try {
    await body({ engine, sit })
  } finally {
    await listening.close({ graceMs: 0 })
  }
}

function said(engine: ScriptEngine, request: number): string[] {
  return engine.requests[request]!.params.messages.map(({ role, content }) => {
    const text =
      typeof content === 'string'
        ? content
        : content.map((block) => ('text' in block ? block.text : `[${block.type}]`)).join('')
    return `${role}: ${text}`
  })
}

test('a message gets its reply and is sent with the whole history', async () => {
  await at(['Hello **Ada**.', 'You are Ada.'], async ({ engine, sit }) => {
    const user = await sit()
    await user.sees(/> Ask anything/)
    await user.says('I am Ada')
    await user.sees(/Hello Ada\.\n\n\d+ in · \d+ out · .*context/)
    await user.says('Who am I?')
    await user.sees(/You are Ada\./)
    assert.deepEqual(said(engine, 1), ['user: I am Ada', 'assistant: Hello **Ada**.', 'user: Who am I?'])
    await user.type(controlD)
    assert.equal(await user.left, 0)
    assert.match(user.terminal.text, /\nresume: colloquy chat -r \w{6}$/)
  })
})

for (const [name, key] of [
  ['Ctrl-C', controlC],
  ['Esc', escape],
] as const) {
  test(`${name} stops a reply and keeps the partial text, which the next message continues`, async () => {
    await at([{ reply: 'one two three four', after: 4, stall: true }, 'five six'], async ({ engine, sit }) => {
      const user = await sit()
      await user.says('count')
      await user.sees(/one/)
      await user.type(key)
      await user.sees(/■ stopped · kept · ≈ \d+ out .*\/continue/)
      await user.says('go on')
      await user.sees(/five six/)
      const [question, partial, more] = said(engine, 1)
      assert.equal(question, 'user: count')
      assert.match(partial!, /^assistant: one/)
      assert.match(more!, /go on$/)
      await user.type(controlD)
      await user.left
    })
  })
}

test('a message is kept after a failure and can be retried', async () => {
  await at([{ error: { type: 'overloaded_error' } }, 'Here I am.'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('anyone?')
    await user.sees(/✗ The API is overloaded: .*\(overloaded_error,\s+req_\w+\)\n.*\/retry/)
    await user.says('/retry')
    await user.sees(/Here I am\./)
    assert.deepEqual(said(engine, 1), ['user: anyone?'])
    await user.type(controlD)
    await user.left
  })
})

test('a chat continues with a summary when its window is full, and shows the cost', async () => {
  const usage = { input_tokens: 995_000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 9 }
  const steps = [{ content: 'Hello.', usage }, { reply: 'Ada likes trains.', delayMs: 1_200 }, 'You are Ada.']
  await at(steps, async ({ engine, sit }) => {
    const user = await sit()
    await user.says('I am Ada')
    await user.sees(/context/)
    await user.says('Who am I?')
    await user.sees(/Press Enter to send it anyway/)
    await user.type(enter)
    await user.sees(/summarizing earlier turns \d s · Esc stops/)
    await user.sees(/You are Ada\.[^]*earlier turns were summarized · \$0\.\d+/)
    assert.match(said(engine, 2).join(), /^user: .*summary.*Ada likes trains\.,user: Who am I\?$/s)
    await user.type(controlD)
    await user.left
  })
})

test('an unknown command is not sent and gets a suggestion; // sends a slash', async () => {
  await at(['ok'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('/exprot x.md')
    await user.sees(/No command \/exprot\. Did you mean \/export\?/)
    assert.equal(engine.requests.length, 0)
    await user.says('//etc is a folder')
    await user.sees(/ok/)
    assert.deepEqual(said(engine, 0), ['user: /etc is a folder'])
    await user.type(controlD)
    await user.left
  })
})

test('pasting never sends, whatever the text', async () => {
  await at(['ok'], async ({ engine, sit }) => {
    const user = await sit()
    await user.sees(/Ask anything/)
    const lines = Array.from({ length: 43 }, (_, index) => `line ${index + 1}`).join('\r')
    await user.paste(lines)
    await user.sees(/> \[paste 1: 43 lines\]/)
    assert.equal(engine.requests.length, 0)
    await user.type(enter)
    await user.sees(/\nok\n/)
    assert.deepEqual(said(engine, 0), [`user: ${lines.replaceAll('\r', '\n')}`])
    await user.type(controlD)
    await user.left
  })
})

test('a message sent during a reply is queued until the reply ends', async () => {
  const { promise: isQueued, resolve: reply } = Promise.withResolvers<void>()
  const whenQueued = { clock: { now: Date.now, wait: () => isQueued } }
  const body = async ({ engine, sit }: Place): Promise<void> => {
    const user = await sit()
    await user.says('first')
    await user.sees(/waiting/)
    await user.says('and then?')
    await user.sees(/queued: and then\?/)
    // On a busy machine not even the first request has arrived.
    assert.ok(engine.requests.length <= 1)
    reply()
    await user.sees(/second/)
    assert.deepEqual(said(engine, 1), ['user: first', 'assistant: slow answer', 'user: and then?'])
    await user.type(controlD)
    await user.left
  }
  await at([{ reply: 'slow answer', delayMs: 1 }, 'second'], body, whenQueued)
})

test('/undo, /retry, /prev and /edit lose no message', async () => {
  await at(['red', 'blue', 'four', 'nine'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('a colour')
    await user.sees(/red\n\n/)
    await user.says('/retry')
    await user.sees(/blue\n\n.*‹2\/2›/)
    await user.says('/prev')
    await user.sees(/‹1\/2›/)
    await user.says('two squared')
    await user.sees(/four/)
    assert.deepEqual(said(engine, 2), ['user: a colour', 'assistant: red', 'user: two squared'])
    await user.says('/edit')
    await user.sees(/> two squared$/)
    await user.type('\x15three squared\r')
    await user.sees(/nine/)
    assert.deepEqual(said(engine, 3), ['user: a colour', 'assistant: red', 'user: three squared'])
    await user.says('/undo 2')
    await user.sees(/Took back 4 messages, 0 left/)
    await user.type(controlD)
    await user.left
  })
})

test('/branches shows the tree: Enter switches, Tab previews, Del erases', async () => {
  await at(['red', 'blue', 'four', 'nine', 'sixteen'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('a colour')
    await user.sees(/red\n\n/)
    await user.says('/retry')
    await user.sees(/blue\n\n.*‹2\/2›/)
    await user.says('two squared')
    await user.sees(/four/)
    await user.says('/edit')
    await user.sees(/> two squared$/)
    await user.type('\x15three squared\r')
    await user.sees(/nine/)
    await user.says('/tree')
    const tree = [
      '  ● > a colour',
      '  ├─○ red',
      '  └─● blue',
      '    ├─○ > two squared',
      '    │ ○ four',
      '    └─● > three squared',
      '›     ● nine',
      '7 of 7 · Enter switches · Tab previews · Del erases · Esc leaves',
    ]
    await user.sees(new RegExp(`branch:\n${tree.map((line) => line.replaceAll('.', '\\.')).join('\n')}`))
    await user.type(up + up + '\t')
    await user.sees(/› {3}│ ○ four\n[^]*claude-sonnet-5-5 · just now[^]*four/)
    await user.type(enter)
    await user.sees(/> two squared\n\nfour\n\n> Ask anything/)
    await user.says('four squared')
    await user.sees(/sixteen/)
    assert.deepEqual(said(engine, 4).slice(-2), ['assistant: four', 'user: four squared'])
    await user.says('/tree')
    await user.type('three')
    await user.sees(/1 of 9/)
    await user.type('\x1b[3~')
    await user.sees(/Erase the marked message and all that follow it for good\? y or n/)
    await user.type('y')
    await user.sees(/0 of 7/)
    await user.type(escape)
    await user.sees(/Nothing was chosen/)
    await user.type(controlD)
    await user.left
  })
})

test('/fork and --fork continue in a copy and leave the chat as it is', async () => {
  await at(['red', 'four', 'nine', 'Ten.'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('a colour')
    await user.sees(/red\n\n/)
    await user.says('two squared')
    await user.sees(/four\n\n/)
    await user.says('/fork 2')
    await user.sees(/Cannot fork without the last 2 turns: the chat has 2 turns/)
    await user.says('/fork 1')
    await user.sees(
      /“a colour \(fork\)”[^]*red\n\nThe chat continues in this copy\. To return to the other, resume: colloquy/,
    )
    await user.says('three squared')
    await user.sees(/nine\n\n/)
    assert.deepEqual(said(engine, 2), ['user: a colour', 'assistant: red', 'user: three squared'])
    await user.type(controlD)
    await user.left
    const other = await sit(['-c', '--fork=1', '--title', 'Colours', 'ten?'])
    await other.sees(/“Colours”[^]*Ten\.\n/)
    assert.deepEqual(said(engine, 3), ['user: a colour', 'assistant: red', 'user: ten?'])
    await other.says('/resume squared')
    await other.sees(/1 {2}\w{6} {2}a colour \(fork\) · .*4 messages\n.*2 {2}\w{6} {2}a colour · .*4 messages/)
    await other.type(controlD)
    await other.left
  })
})

test('/model, /system and /set apply from the next message on', async () => {
  await at([{ times: 2, reply: 'ok' }], async ({ engine, sit }) => {
    const user = await sit(['-m', 'claude-opus-4-8', '-s', 'Be brief.'])
    await user.says('one')
    await user.sees(/ok\n/)
    await user.says('/model claude-haiku-5-5')
    await user.says('/system off')
    await user.says('/set max_tokens 77')
    await user.sees(/max_tokens 77/)
    await user.says('two')
    await user.sees(/> two\n\nok/)
    const [first, second] = engine.requests.map(({ params }) => [
      params.model,
      params.max_tokens,
      params.system !== undefined,
    ])
    assert.deepEqual(first, ['claude-opus-4-8', 8192, true])
    assert.deepEqual(second, ['claude-haiku-5-5', 77, false])
    await user.type(controlD)
    await user.left
  })
})

test('-r shows the end of a chat and continues it with its whole history', async () => {
  await at(['My reply.', 'On it goes.'], async ({ engine, sit }) => {
    const first = await sit()
    await first.says('A lighthouse')
    await first.sees(/My reply\./)
    await first.says('/quit')
    await first.left
    const second = await sit(['-r', 'lighthouse'])
    await second.sees(/“A lighthouse”[^]*> A lighthouse\n\nMy reply\./)
    await second.says('more')
    await second.sees(/On it goes\./)
    assert.deepEqual(said(engine, 1), ['user: A lighthouse', 'assistant: My reply.', 'user: more'])
    await second.says('/resume')
    await second.sees(/› A lighthouse · just now · 4 messages/)
    await second.type(escape)
    await second.sees(/Nothing was chosen\./)
    await second.type(controlD)
    await second.left
  })
})

test('? and /help show all keys and commands also in a narrow window', async () => {
  await at([], async ({ sit }) => {
    const user = await sit([], { columns: 40, rows: 80 })
    // The examples of a first chat would take the place of the keys.
    await user.sees(/three names/)
    await user.type('?')
    await user.sees(/pasting\s+never sends[^]*Ctrl-D\s+leaves/)
    assert.doesNotMatch(user.terminal.text, /…/)
    await user.type('\x15/help\r')
    await user.sees(/\n {2}\/branches \[N\]\n {6}Show the tree of this chat, or\n {6}switch to branch N\n/)
    await user.type(controlD)
    await user.left
  })
})

test('Ctrl-C clears the line, then hints, then leaves', async () => {
  await at([], async ({ sit }) => {
    const user = await sit()
    await user.type('some words')
    await user.sees(/> some words/)
    await user.type(controlC)
    await user.sees(/> Ask anything/)
    await user.type(controlC)
    await user.sees(/Ctrl-C again or Ctrl-D to leave/)
    await user.type(controlC)
    assert.equal(await user.left, 0)
    assert.doesNotMatch(user.terminal.text, /resume:/)
  })
})

test('the history file is private, and a leading space keeps a line out of it', async () => {
  await at([{ times: 2, reply: 'ok' }], async ({ sit }) => {
    const first = await sit()
    await first.says('remember me')
    await first.sees(/ok/)
    await first.says(' not me')
    await first.sees(/not me\n\nok/)
    await first.type(controlD)
    await first.left
    const file = join(process.env['XDG_STATE_HOME']!, 'colloquy', 'history')
    assert.equal(await readFile(file, 'utf8'), '"remember me"\n')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const second = await sit()
    await second.type(up)
    await second.sees(/> remember me$/)
    await second.type(controlC + controlD)
    await second.left
  })
})

test('Tab completes commands, models and paths', async () => {
  await writeFile(join(folder, 'unlikely-name.md'), 'x')
  await at([], async ({ sit }) => {
    const user = await sit()
    await user.type('/mod\t')
    await user.sees(/> \/model$/m)
    await user.type('claude-opus-4-8\t')
    await user.sees(/claude-opus-4-8/)
    await user.type(`\x15see @${folder}/unlik\t`)
    await user.sees(/unlikely-name\.md/)
    await user.type(controlC + controlD)
    await user.left
  })
})

test('attached files are sent with one message and named above it', async () => {
  const file = join(folder, 'notes.md')
  await writeFile(file, 'keep this')
  await at([{ times: 2, reply: 'ok' }], async ({ engine, sit }) => {
    const user = await sit([], { columns: 120, rows: 24 })
    await user.says(`/attach ${file}`)
    await user.sees(/⎘ .*notes\.md \(9 B\) goes with the next/)
    await user.says('sum up')
    await user.sees(/> sum up\n +⎘ .*notes\.md \(9 B\)\n\nok/)
    await user.says('again')
    await user.sees(/> again\n\nok/)
    assert.match(JSON.stringify(engine.requests[0]!.params.messages), /"document".*keep this/)
    assert.equal(said(engine, 1).at(-1), 'user: again')
    await user.type(controlD)
    await user.left
  })
})

test('/save writes the chat and does not overwrite a file', async () => {
  const file = join(folder, 'saved.md')
  await at(['Written **down**.', 'Written **again**.'], async ({ sit }) => {
    const user = await sit()
    await user.says('note this')
    await user.sees(/Written down\./)
    await user.says(`/save ${file}`)
    await user.sees(/Saved to/)
    assert.match(await readFile(file, 'utf8'), /\*\*You:\*\*\n\nnote this[^]*Written \*\*down\*\*\./)
    await user.says(`/save ${file}`)
    await user.sees(/✗ Cannot save to .*: the file already\s+exists/)
    process.env['HOME'] = folder
    await user.says('/retry')
    await user.sees(/Written again\./)
    await user.says('/save ~/branch.json')
    await user.sees(/Saved to ~\/branch\.json\.\n.*This is one of 2 branches: jsonl has all of them\./)
    await user.says('/save ~/whole.jsonl')
    await user.sees(/Saved to ~\/whole\.jsonl/)
    assert.match(await readFile(join(folder, 'whole.jsonl'), 'utf8'), /^\{"type":"conversation"[^]*Written/)
    await user.type(controlD)
    await user.left
  })
})

test('a chat clears neither the screen nor the scrollback', async () => {
  const reply = `# A\n\n${'Some words that go on. '.repeat(60)}\n\n\`\`\`js\n${'const a = 1\n'.repeat(40)}\`\`\`\n`
  await at([{ reply, eventDelayMs: 1 }], async ({ sit }) => {
    const user = await sit([], { columns: 60, rows: 12 })
    await user.says('go')
    await user.sees(/context/)
    await user.type(controlD)
    await user.left
    assert.doesNotMatch(user.terminal.written, /\x1b\[[23]J|\x1b\[\?1049/)
    assert.equal(user.terminal.text.split('const a = 1').length, 41)
    assert.ok(user.terminal.written.length < 15 * reply.length)
  })
})

test('an expensive message is sent only when confirmed', async () => {
  const usage = { input_tokens: 900_000, output_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  await at([{ content: 'read', model: 'claude-sonnet-5-5', usage }, 'at last'], async ({ engine, sit }) => {
    const user = await sit()
    await user.says('a long text')
    await user.sees(/read\n/)
    await user.says('and now?')
    await user.sees(/This message costs about \$1\.80\. Press Enter to send it anyway\./)
    await user.sees(/> and now\?$/)
    assert.equal(engine.requests.length, 1)
    await user.type(enter)
    await user.sees(/at last/)
    await user.type(controlD)
    await user.left
  })
})

test('--warn-cost sets the price above which a message or /retry asks first', async () => {
  const usage = { input_tokens: 90_000, output_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const model = 'claude-sonnet-5-5'
  const steps = [{ content: 'read', model, usage }, { content: 'seen', model, usage }, 'again']
  await at(steps, async ({ engine, sit }) => {
    // A picture of one pixel, with a long text inside it.
    const head = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64')
    await writeFile(join(folder, 'dot.png'), Buffer.concat([head, Buffer.alloc(2_000_000, 'x')]))
    const user = await sit(['--warn-cost', '0.25'])
    await user.says('a text')
    await user.sees(/read\n/)
    await user.says(`look at @${join(folder, 'dot.png')}`)
    await user.sees(/seen\n/)
    await user.says('/retry claude-opus-5-5')
    await user.sees(
      /This message costs about \$0\.3\d+\. Press Enter to send it anyway\.\n[^]*> \/retry claude-opus-5-5$/,
    )
    assert.equal(engine.requests.length, 2)
    await user.type(enter)
    await user.sees(/again\n/)
    await user.type(controlD)
    await user.left
  })
})

test('a dropped picture and an image of the clipboard are sent with the message', async () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  const programs = await mkdtemp(join(folder, 'programs-'))
  const picture = join(programs, 'a b.png')
  await writeFile(picture, png)
  await writeFile(join(programs, 'wl-paste'), `#!/bin/sh\ncat "${picture}"\n`, { mode: 0o700 })
  const { PATH, WAYLAND_DISPLAY } = process.env
  Object.assign(process.env, { PATH: `${programs}:${PATH}`, WAYLAND_DISPLAY: 'wayland-0' })
  try {
    await at(['Two dots.'], async ({ engine, sit }) => {
      const user = await sit()
      await user.sees(/Ask anything/)
      await user.type('\x16')
      await user.sees(/⎘ image from the clipboard \(70 B\) goes with the next message/)
      await user.paste(`'${picture}'`)
      await user.sees(/> @".*a b\.png"$/)
      await user.type(`what is this?${enter}`)
      await user.sees(/Two dots\./)
      const [{ content }] = engine.requests[0]!.params.messages as unknown as [
        { content: { type: string; text?: string }[] },
      ]
      assert.deepEqual(
        content.slice(0, 2).map(({ type }) => type),
        ['image', 'image'],
      )
      assert.match(content[2]!.text!, /^@".*a b\.png" what is this\?$/)
      await user.type(controlD)
      await user.left
    })
  } finally {
    if (WAYLAND_DISPLAY === undefined) delete process.env['WAYLAND_DISPLAY']
    Object.assign(process.env, { PATH })
  }
})

test('text from outside reaches the terminal without control characters', async () => {
  const attack = '\x1b]52;c;QQ==\x07\x1b]0;t\x07\x1b[2J\x9b2J\u202edlrow\u2066 &#8238; &#x9b;2J'
  const typed = '\u202edlrow\u2066 &#8238;'
  const steps: (ScriptedReply | Step)[] = [
    { reply: `reply ${attack}\n\n\`\`\`sh\necho ${attack}\n\`\`\`\n\n<b>${attack}</b>\n`, eventDelayMs: 5 },
    { error: { type: 'invalid_request_error', message: `failed ${attack}` } },
    { content: [{ type: 'tool_use', id: 't', name: `tool ${attack}`, input: {} }], stop_reason: 'tool_use' },
  ]
  // The terminal of the test throws for any character that the program must not write.
  await at(steps, async ({ sit }) => {
    const user = await sit()
    await user.says(`first ${typed}`)
    await user.sees(/reply[^]*context/)
    await user.says('second')
    await user.sees(/✗ The request was rejected: failed/)
    for (const line of [`/title title ${typed}`, '/resume', '/search reply', '/inspect', '/raw']) {
      await user.says(line)
    }
    await user.says(`/set ${typed} x`)
    await user.says('/attach none\x9b2J')
    await user.sees(/✗ Cannot attach none/)
    await user.says('/undo')
    await user.says('third')
    await user.sees(/⚙ wants to call tool/)
    await user.type(controlD)
    await user.left
    const again = await sit(['-c'])
    await again.sees(/“title[^]*⚙ tool/)
    await again.type(controlD)
    await again.left
  })
})

test('a reply that calls a tool says that the chat has none, and what to do', async () => {
  const content = [{ type: 'tool_use' as const, id: 't', name: 'get_weather', input: {} }]
  await at([{ content, stop_reason: 'tool_use' }, 'It rains.'], async ({ sit }) => {
    const user = await sit()
    await user.says('weather?')
    await user.sees(/⚙ wants to call get_weather\n+This chat has no tools, [^]*\/undo {2}\/retry/)
    await user.says('well?')
    await user.sees(/✗ The last reply waits for results of tools, [^]*: \/undo in[^]*takes\s+it back/)
    await user.says('/retry')
    await user.sees(/It rains\./)
    await user.type(controlD)
    await user.left
  })
})

for (const [name, key] of [
  ['Ctrl-D', controlD],
  ['/quit', '/quit\r'],
] as const) {
  test(`messages queued before leaving by ${name} are not sent, and shown as such`, async () => {
    await at([{ reply: 'slow answer', eventDelayMs: 400 }, 'never'], async ({ engine, sit }) => {
      const user = await sit()
      await user.says('first')
      await user.sees(/waiting/)
      if (name === '/quit') await user.type(key)
      await user.says('second\\\rline')
      await user.says('third')
      await user.sees(/queued: third/)
      if (name === 'Ctrl-D') await user.type(key)
      assert.equal(await user.left, 0)
      assert.match(user.terminal.text, /\nnot sent: second line\nnot sent: third\nresume: colloquy chat -r \w{6}$/)
      assert.doesNotMatch(user.terminal.text, /✗/)
      assert.equal(engine.requests.length, 1)
    })
  })
}

test('a chat in two terminals: a refused message is retried, not the other terminal’s', async () => {
  await at(['Hello Ada.', 'Nice city.', 'Ada.', 'Five.', 'Another five.'], async ({ engine, sit }) => {
    const first = await sit()
    await first.says('My name is Ada.')
    await first.sees(/Hello Ada\./)
    const second = await sit(['-c'])
    await second.sees(/Hello Ada\./)
    await first.says('I live in Paris.')
    await first.sees(/Nice city\./)
    await second.says('What is my name?')
    await second.sees(/Another program changed this chat\. It now ends with:\n\n> I live in Paris\.\n\nNice city\./)
    await second.sees(/Your message was not sent\. \/retry sends it\./)
    assert.equal(engine.requests.length, 2)
    await second.says('/retry')
    await second.sees(/\nAda\.\n/)
    assert.equal(said(engine, 2).join('|').endsWith('assistant: Nice city.|user: What is my name?'), true)
    await first.says('/retry')
    await first.sees(/Another program changed this chat[^]*What is my name\?\n\nAda\.[^]*Nothing was sent\./)
    assert.equal(engine.requests.length, 3)
    await first.says('count to 5')
    await first.sees(/Five\./)
    await second.says('/undo')
    await second.sees(/Another program changed this chat[^]*count to 5\n\nFive\.[^]*Nothing was sent\./)
    await second.says('/retry')
    await second.sees(/Another five\./)
    assert.equal(said(engine, 4).at(-1), 'user: count to 5')
    for (const user of [first, second]) {
      await user.type(controlD)
      await user.left
    }
  })
})

test('a message sent while another terminal receives a reply is kept for /retry', async () => {
  await at([{ reply: 'one two three', after: 3, stall: true }, 'At last.'], async ({ engine, sit }) => {
    const first = await sit()
    await first.says('count')
    await first.sees(/one/)
    const second = await sit(['-c'])
    await second.says('and me?')
    await second.sees(/Another program is receiving a reply in this chat\.[^]*Your message was not sent/)
    await first.type(escape)
    await first.sees(/■ stopped/)
    await second.says('/retry')
    await second.sees(/Another program changed this chat[^]*one[^]*■ interrupted[^]*not sent/)
    await second.says('/retry')
    await second.sees(/At last\./)
    assert.match(said(engine, 1).at(-1)!, /and me\?$/)
    for (const user of [first, second]) {
      await user.type(controlD)
      await user.left
    }
  })
})

test('-r shows a list that typing filters by title and text; Tab previews, Del deletes, Enter opens', async () => {
  await at(['Paris.', 'Cables, mostly.', 'Rome.', 'Again Paris.'], async ({ sit }) => {
    for (const question of ['What is the capital of France?', 'How does the internet work?', 'Capital of Italy?']) {
      const user = await sit(['--title', question.slice(0, 20), question])
      await user.sees(/context/)
      await user.type(controlD)
      await user.left
    }
    const user = await sit(['-r'])
    await user.sees(/resume:\n› Capital of Italy\? · just now · 2 messages[^]*3 of 3 · Enter opens/)
    await user.type('cables')
    await user.sees(/resume: cables\n› How does the interne · [^\n]*\n1 of 3/)
    await user.type('\t')
    await user.sees(/claude-\S+\n +> How does the internet work\?\n +Cables, mostly\./)
    await user.type('\x1b[3~')
    await user.sees(/Delete the marked chat for good\? y or n/)
    await user.type('n')
    await user.sees(/1 of 3/)
    await user.type('\x1b[3~y')
    await user.sees(/0 of 2/)
    await user.type('\x15')
    await user.sees(/2 of 2/)
    await user.type('\x1b[B' + enter)
    await user.sees(/chat \w{6} “What is the capital”[^]*Paris\.[^]*> Ask anything/)
    await user.says('And again?')
    await user.sees(/Again Paris\./)
    await user.says('/resume')
    await user.sees(/resume:\n› What is the capital/)
    await user.type('\x1b[3~y')
    await user.sees(/Cannot delete this chat while it is open/)
    await user.type(escape)
    await user.sees(/Nothing was chosen\./)
    await user.type(controlD)
    assert.equal(await user.left, 0)
  })
})

test('a signal ends a chat whose list is open', async () => {
  await at(['One.'], async ({ sit }) => {
    const first = await sit(['Hi'])
    await first.sees(/context/)
    await first.type(controlD)
    await first.left
    const user = await sit(['-r'])
    await user.sees(/1 of 1/)
    process.emit('SIGTERM')
    assert.equal(await user.left, 143)
  })
})

test('/theme and /set keys change the chat, and later ones', async () => {
  await at([], async ({ sit }) => {
    const user = await sit(['--color', 'always'])
    await user.says('/theme')
    await user.sees(/default · light · contrast · mono/)
    await user.says('/theme mono')
    await user.sees(/theme mono/)
    await user.says('/set keys vi')
    await user.sees(/keys vi/)
    await user.type('one two')
    await user.type(escape)
    await new Promise((resolve) => setTimeout(resolve, 80))
    await user.sees(/: one two/)
    await user.type('ccthree')
    await user.sees(/> three/)
    await user.type('\x03' + controlD)
    assert.equal(await user.left, 0)
    const saved = await readFile(filePaths().config, 'utf8')
    assert.deepEqual(JSON.parse(saved), { theme: 'mono', keys: 'vi' })
    const again = await sit()
    await again.sees(/> Ask anything/)
    await again.type('x')
    await again.type(escape)
    await new Promise((resolve) => setTimeout(resolve, 80))
    await again.sees(/: x/)
    await again.type('\x03' + controlD)
    await again.left
  })
})
