import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configuration } from './configuration.ts'
import { fillTemplate, readTemplate } from './template.ts'
import { builtProgram } from '../../../../test/built-program.ts'
import { programEnvironment } from '../../../../test/program-environment.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-config-'))
after(() => rm(folder, { recursive: true, force: true }))

let homes = 0

interface Home {
  run(words: string[], env?: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }>
  /** Writes a file below the home, and returns its path. */
  write(path: string, text: string): Promise<string>
  path: string
}

/** A home with a project in it, in which the program runs. */
async function home(): Promise<Home> {
  const path = join(folder, String(++homes))
  const cwd = join(path, 'project/below')
  await mkdir(cwd, { recursive: true })
  return {
    path,
    async write(name, text) {
      const file = join(path, name)
      await mkdir(join(file, '..'), { recursive: true })
      await writeFile(file, text)
      return file
    },
    run: (words, env = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          process.execPath,
          [builtProgram, ...words],
          {
            cwd,
            env: {
              ...programEnvironment,
              HOME: path,
              CI: '1',
              ...env,
            },
          },
          (error, stdout, stderr) =>
            resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
        )
        child.stdin!.end()
      }),
  }
}

const userFile = '.config/colloquy/config.json'

test('config list --origin says for each setting where it comes from', async () => {
  const { run, write } = await home()
  const user = await write(
    userFile,
    `{
      // comments and trailing commas are allowed
      "max-tokens": 100, "cost": "off", "wrap": "off", "model": "claude-opus-5-5",
      "profiles": { "cheap": { "cost": "short", "model": "claude-haiku-4-5" } },
    }`,
  )
  const project = await write('project/.colloquy.json', '{ "wrap": "soft" }')
  const list = async (words: string[], env = {}): Promise<string> =>
    (await run(['config', 'list', '--origin', ...words], env)).stdout
  const plain = await list([])
  for (const line of [
    new RegExp(`^max-tokens +100 +${user}$`, 'm'),
    new RegExp(`^wrap +soft +${project}$`, 'm'),
    /^retries +2 +default$/m,
    /^system +— +default$/m,
  ])
    assert.match(plain, line)
  const profile = await list(['--profile', 'cheap'], { COLLOQUY_MODEL: 'claude-sonnet-5-5' })
  assert.match(profile, new RegExp(`^cost +short +profile cheap in ${user}$`, 'm'))
  assert.match(profile, /^model +claude-sonnet-5-5 +COLLOQUY_MODEL$/m)
  const { stdout } = await run(['config', 'get', 'model'])
  assert.equal(stdout, 'claude-opus-5-5\n')
})

test('config set and unset change one value and keep the rest of the file', async () => {
  const { run, write } = await home()
  const file = await write(userFile, '{\n  // mine\n  "model": "claude-opus-5-5"\n}\n')
  assert.equal((await run(['config', 'set', 'max-tokens', '64'])).code, 0)
  assert.equal((await run(['config', 'set', '--profile', 'cheap', 'model', 'claude-haiku-4-5'])).code, 0)
  const text = await readFile(file, 'utf8')
  assert.match(
    text,
    /\/\/ mine\n {2}"model": "claude-opus-5-5",\n {2}"max-tokens": 64,\n {2}"profiles": \{\n {4}"cheap"/,
  )
  await run(['config', 'unset', 'max-tokens'])
  assert.doesNotMatch(await readFile(file, 'utf8'), /max-tokens/)
})

test('config set changes nothing in a file that is not an object of JSON, but for an empty one', async () => {
  for (const text of ['{ "model": ', '[]']) {
    const { run, write } = await home()
    const file = await write(userFile, text)
    const { code, stderr } = await run(['config', 'set', 'model', 'claude-opus-5-5'])
    assert.equal(code, 2)
    assert.match(stderr, /config\.json: (?:line 1 is not JSON|it must be an object)/)
    assert.equal(await readFile(file, 'utf8'), text)
  }
  const { run, write } = await home()
  const file = await write(userFile, '\n')
  assert.equal((await run(['config', 'set', 'model', 'claude-opus-5-5'])).code, 0)
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { model: 'claude-opus-5-5' })
})

test('the configuration holds for new chats, and flags come before it', async () => {
  const { run, write } = await home()
  await write(
    userFile,
    '{ "system": "Answer in upper case.", "max-tokens": 50, "profiles": { "p": { "system": "" } } }',
  )
  const say = async (...words: string[]): Promise<string> => (await run(['ask', '--no-save', ...words])).stdout
  assert.equal(await say('Say hello'), 'HELLO\n')
  assert.equal(await say('-s', 'Answer in lower case.', 'Say HELLO'), 'hello\n')
  assert.equal(await say('--profile', 'p', 'Say hello'), 'hello\n')
  assert.equal(await say('--max-tokens', '2', 'Say one two three four').then((text) => text.length < 15), true)
})

test('a mistake in a configuration is one sentence that names the file', async () => {
  const cases: [file: string, text: string, message: RegExp][] = [
    [userFile, '{ "modell": "x" }', /^No setting modell in .*config\.json\. Did you mean model\?$/m],
    [userFile, '{ "cost": "never" }', /^Cannot use cost never in .*config\.json: it must be one of off, short, full$/m],
    [userFile, '{ "model": "" }', /^Cannot use model  in .*config\.json: it must be a text that is not empty$/m],
    [userFile, '{\n "cost" off }', /^Cannot read .*config\.json: line 2 is not JSON$/m],
    [userFile, '{ "profile": "none" }', /^No profile none in .*config\.json: found none$/m],
    [userFile, '[]', /config\.json: it must be an object/],
    [userFile, '{ "profiles": null }', /^Cannot use profiles in .*config\.json: it must be an object/],
    // A folder that someone else made must not send messages and keys elsewhere.
    [
      'project/.colloquy.json',
      '{ "engine": "https://example.com" }',
      /^Cannot use engine in .*\.colloquy\.json: only your own/m,
    ],
    ['project/.colloquy.json', '{ "model": "odd.gguf" }', /^Cannot use model in .*\.colloquy\.json: only your own/m],
    ['project/.colloquy.json', '{ "profiles": { "a": {} } }', /^Cannot use profiles in .*\.colloquy\.json/m],
  ]
  for (const [file, text, message] of cases) {
    const { write, path } = await home()
    await write(file, text)
    const found = configuration({ env: { HOME: path }, folder: join(path, 'project/below') })
    await assert.rejects(found, { name: 'UsageError', message })
  }
})

test('a file that a setting names begins at the folder of the settings', async () => {
  const { write, path } = await home()
  const found = async (name = 'system'): Promise<string | undefined> =>
    (await configuration({ env: { HOME: path }, folder: join(path, 'project/below') })).get(name)?.value
  await write(userFile, '{ "system": "@prompts/short.md", "engine": "big.gguf", "model": "~/small.gguf" }')
  assert.equal(await found(), `@${join(path, '.config/colloquy/prompts/short.md')}`)
  assert.equal(await found('engine'), join(path, '.config/colloquy/big.gguf'))
  assert.equal(await found('model'), join(homedir(), 'small.gguf'))
  await write('project/CLAUDE.md', 'Be brief.')
  await write('project/.colloquy.json', '{ "system": "@CLAUDE.md" }')
  assert.equal(await found(), `@${join(path, 'project/CLAUDE.md')}`)
  const template = await write('.config/colloquy/templates/mine.md', '---\nsystem: @rules.md\n---\nHi')
  process.env['XDG_CONFIG_HOME'] = join(path, '.config')
  assert.equal((await readTemplate('mine')).settings.get('system'), `@${join(template, '../rules.md')}`)
})

test('the settings of a project send no file from elsewhere', async () => {
  const { write, path } = await home()
  const secret = await write('secret', 'private')
  await symlink(secret, join(path, 'project/link'))
  for (const system of [`@${secret}`, '@../secret', '@link', '@~/secret', '@/secret']) {
    await write('project/.colloquy.json', JSON.stringify({ system }))
    const found = configuration({ env: { HOME: path }, folder: join(path, 'project/below') })
    await assert.rejects(found, {
      name: 'UsageError',
      message: /^Cannot use system in .*json: .* is outside of its folder$/,
    })
  }
})

test('config set keeps the place of the @file of a system prompt', async () => {
  const { run, path } = await home()
  await run(['config', 'set', 'system', '@here.md'])
  const { system } = JSON.parse(await readFile(join(path, userFile), 'utf8')) as { system: string }
  assert.match(system, /^@\/.*\/project\/below\/here\.md$/)
})

test('a template has places for the message and for variables, and settings of its own', async () => {
  const { run, write, path } = await home()
  await write(
    '.config/colloquy/templates/shout.md',
    '---\nsystem: Answer in upper case.\n---\nSay {{input}}{{mark=!}}\n',
  )
  await write('.config/colloquy/templates/after.md', 'Say {{what}}')
  const say = async (...words: string[]): ReturnType<Home['run']> => run(['ask', '--no-save', ...words])
  assert.equal((await say('-t', 'shout', 'hello')).stdout, 'HELLO!\n')
  assert.equal((await say('-t', 'shout', '--var', 'mark=?', 'hello')).stdout, 'HELLO?\n')
  assert.equal((await say('-t', 'after', '--var', 'what=one', 'two')).stdout, 'one\n\ntwo\n')
  process.env['XDG_CONFIG_HOME'] = join(path, '.config')
  const fill = async (name: string, given: string[]): Promise<string> =>
    fillTemplate(await readTemplate(name), given, 'x')
  for (const [name, given, message] of [
    ['after', [], /^Cannot use the template after: give --var what=…$/],
    ['shout', ['wat=1'], /the template shout does not have it/],
    ['gone', [], /^No template gone in .*: found after, shout$/],
    ['shout', ['mark'], /it must be NAME=VALUE/],
  ] as const) {
    await assert.rejects(fill(name, [...given]), { name: 'UsageError', message })
  }
  const ruled = 'One\n\n---\ntwo: 2\n---\nthree'
  await write('.config/colloquy/templates/ruled.md', ruled)
  assert.equal((await readTemplate('ruled')).body, ruled)
  await write('.config/colloquy/templates/ruled.md', '---\nmax-tokens: 9\n---')
  assert.deepEqual(await readTemplate('ruled'), { name: 'ruled', settings: new Map([['max-tokens', '9']]), body: '' })
  await rm(join(path, '.config/colloquy/templates/ruled.md'))
  await mkdir(join(path, '.config/colloquy/templates/folder.md'))
  await assert.rejects(readTemplate('folder'), { name: 'UsageError', message: /folder\.md: it is a folder$/ })
  await rm(join(path, '.config/colloquy/templates/folder.md'), { recursive: true })
  const { stdout } = await run(['templates'])
  assert.equal(stdout, 'after  Say {{what}}\nshout  Say {{input}}{{mark=!}}\n')
})

test('a file that COLLOQUY_CONFIG names must exist, and config set creates it', async () => {
  const { run, path } = await home()
  const file = join(path, 'mine.json')
  const env = { COLLOQUY_CONFIG: file }
  assert.deepEqual(await run(['ask', 'hi'], env), {
    code: 2,
    stdout: '',
    stderr: `Cannot read ${file}, which COLLOQUY_CONFIG names: there is no such file. colloquy config set NAME VALUE creates it.\n`,
  })
  assert.equal((await run(['config', 'set', 'cost', 'off'], env)).code, 0)
  assert.equal((await run(['config', 'get', 'cost'], env)).stdout, 'off\n')
})
