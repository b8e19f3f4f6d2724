// The files for hosting, as far as they can be checked without Docker.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request,
} from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, after, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { consoleRoutes } from '@colloquy/server/console'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import { type Engine, offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { parse as parseYaml } from 'yaml'
import { parse } from '../packages/cli/src/commands/parse.ts'
import { read, root } from './source.ts'
import { programEnvironment } from './program-environment.ts'
import { until } from './until.ts'

interface Service {
  image?: string
  build?: { context: string; dockerfile: string }
  environment?: Record<string, string>
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: object
  stop_grace_period?: string
  deploy?: { replicas: number }
}

const compose = parseYaml(read('deploy/compose.yaml')) as { services: Record<string, Service>; volumes: object }
const configText = read('deploy/colloquy.json')
const folder = mkdtempSync(join(tmpdir(), 'colloquy-deploy-'))
after(() => rmSync(folder, { recursive: true }))

test('compose.yaml names services, files and variables that exist', () => {
  const { services, volumes } = compose
  assert.equal(services['server']!.deploy!.replicas, 3)
  for (const [name, { depends_on: needed = {}, volumes: mounts = [], build }] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(needed)) {
      const hasCheck = services[other]!.healthcheck !== undefined || other === 'server'
      assert.ok(condition !== 'service_healthy' || hasCheck, `${name} waits for ${other}, which has no health check`)
    }
    for (const mount of mounts) {
      const [source = ''] = mount.split(':')
      const exists = source.startsWith('./') ? existsSync(join(root, 'deploy', source)) : Object.hasOwn(volumes, source)
      assert.ok(exists, mount)
    }
    if (build) assert.ok(existsSync(join(root, 'deploy', build.context, build.dockerfile)))
  }
  const example = read('deploy/.env.example')
  for (const [, name] of read('deploy/compose.yaml').matchAll(/\$\{(\w+)/g))
    assert.match(example, new RegExp(`^${name}=`, 'm'))
})

test('the configuration of compose.yaml is right, and has the time that it needs to stop', () => {
  const { environment = {}, stop_grace_period: grace = '' } = compose.services['server']!
  const path = join(folder, 'colloquy.json')
  writeFileSync(path, configText)
  const env = {
    ...programEnvironment,
    HOME: folder,
    ...environment,
    ANTHROPIC_API_KEY: 'any',
  }
  const main = join(root, 'packages/cli/src/main.ts')
  const words = ['--conditions=@colloquy/source', main, 'serve', '--config', path, '--check']
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /is right: 1 engine \(claude\), routes for \*/)
  const [drainMs, graceMs] = ['drainMs', 'graceMs'].map((name) =>
    Number(new RegExp(`"${name}": (\\d+)`).exec(configText)![1]),
  )
  assert.ok(Number.parseInt(grace) * 1000 > drainMs! + graceMs!)
})

test('the pages create a key before they start servers, which refuse to start without one', () => {
  for (const page of ['docs/hosting.md', 'docs/quick-starts/team.md']) {
    const text = read(page)
    const [create, up] = ['docker compose run --rm server keys create', 'docker compose up'].map((each) =>
      text.indexOf(each),
    )
    assert.ok(create! >= 0 && up! > create!, page)
  }
})

test('the balancer keeps each request until it is answered, to send it to another server', () => {
  const [, mebibytes] = /^\s+request_buffers (\d+)MiB$/m.exec(read('deploy/Caddyfile')) ?? []
  assert.ok(Number(mebibytes) * 2 ** 20 > 32 * 2 ** 20)
})

test('the Dockerfile installs the packed program, on the supported Node', () => {
  const text = read('deploy/Dockerfile')
  assert.match(text, /cd packages\/cli && npm pack .*--pack-destination \/packed/)
  assert.match(text, /npm install .* \/packed\/\*\.tgz/)
  const { optionalDependencies } = JSON.parse(read('package.json')) as { optionalDependencies: { node: string } }
  for (const [, version] of text.matchAll(/^FROM node:(\d+)/gm))
    assert.equal(version, optionalDependencies.node.split('.')[0])
  assert.match(text, /scripts\/setup\.js/)
})

test('each path, command, flag and variable of the Dockerfile exists', async () => {
  const instructions = dockerInstructions(read('deploy/Dockerfile'))
  const known = [
    'FROM',
    'WORKDIR',
    'COPY',
    'RUN',
    'ENV',
    'USER',
    'VOLUME',
    'EXPOSE',
    'HEALTHCHECK',
    'ENTRYPOINT',
    'CMD',
  ]
  const stages = new Set<string>()
  for (const [name, rest] of instructions) {
    assert.ok(known.includes(name), `${name} is not an instruction`)
    const [, stage] = /^\S+ AS (\S+)$/.exec(name === 'FROM' ? rest : '') ?? []
    if (stage) stages.add(stage)
    if (name !== 'COPY') continue
    const [, from, source] = /^(?:--from=(\S+) )?(\S+) \S+$/.exec(rest)!
    // From the build context, which is the repository; else from a stage that was named before.
    if (from === undefined) assert.ok(existsSync(join(root, source!)), rest)
    else assert.ok(stages.has(from), rest)
  }
  const of = (wanted: string): string[] => instructions.filter(([name]) => name === wanted).map(([, rest]) => rest)
  assert.deepEqual(of('ENTRYPOINT'), ['["colloquy"]'])
  await checkCommand(JSON.parse(of('CMD')[0]!) as string[])
  assert.deepEqual(of('EXPOSE'), ['4141'])
  for (const file of ['deploy/Caddyfile', 'docs/hosting.md']) assert.match(read(file), /port:? 4141\b/)
  assert.match(of('HEALTHCHECK')[0]!, /127\.0\.0\.1:4141\/healthz/)
  // The folder of the data is one volume.
  assert.match(of('ENV')[0]!, new RegExp(`XDG_DATA_HOME=${of('VOLUME')[0]}$`))
})

test('the commands of the unit and of the pages are ones that the program knows', async () => {
  const unit = read('deploy/colloquy.service')
  const commands = [...unit.matchAll(/^Exec\w+=\/usr\/bin\/colloquy (.*)$/gm)].map(([, words]) => words!.split(' '))
  assert.equal(commands.length, 3)
  const page = read('docs/hosting.md')
  for (const [, words] of page.matchAll(/^(?:docker compose run --rm server|colloquy) ([^#"`\n]*?)(?: *#.*)?$/gm))
    commands.push(words!.trim().split(/ +/))
  for (const [, words] of page.matchAll(/`(?:sudo -u colloquy )?colloquy ((?:keys|serve|usage) [^`]*)`/g))
    commands.push(words!.split(' '))
  assert.ok(commands.length >= 9, `${commands.length} commands`)
  for (const words of commands) await checkCommand(words)
})

test('the variables of compose.yaml are ones that the program reads', () => {
  const source = ['cli/src/server-store.ts', 'cli/src/commands/serve/state.ts'].map((file) => read(`packages/${file}`))
  const names = Object.keys(compose.services['server']!.environment!)
  for (const name of names.filter((each) => each.startsWith('COLLOQUY_')))
    assert.ok(
      source.some((text) => text.includes(`'${name}'`)),
      name,
    )
  assert.match(configText, /\$\{ANTHROPIC_API_KEY\}/)
})

test('the Caddyfile has balanced blocks, and the directives that streams need', () => {
  const text = read('deploy/Caddyfile').replaceAll(/#.*$/gm, '')
  const depths = [...text].map((letter) => (letter === '{' ? 1 : letter === '}' ? -1 : 0))
  let depth = 0
  for (const change of depths) assert.ok((depth += change) >= 0)
  assert.equal(depth, 0)
  for (const directive of ['dynamic a', 'flush_interval -1', 'respond /metrics 404'])
    assert.ok(text.includes(directive))
  const [, service] = /name (\w+)/.exec(text)!
  assert.ok(Object.hasOwn(compose.services, service!))
  // The port that compose.yaml publishes.
  assert.match(text, /^:8080 \{/m)
  assert.match(read('deploy/compose.yaml'), /:8080'/)
})

const nginx = spawnSync('nginx', ['-v']).status === 0
const whyNoNginx = 'NOT TESTED: nginx is not installed'
test(
  'nginx passes events on at once: with our file, and without any setting',
  { skip: !nginx && whyNoNginx },
  async (t) => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const reply = offline()
    let requests = 0
    async function* engine(params: MessageCreateParams): ReturnType<Engine> {
      const gate = gates[requests++]!
      for await (const event of reply(params)) {
        if (event.type === 'content_block_delta') await gate.promise
        yield event
      }
    }
    const listening = await listen(createServer({ engine }), { allowedHosts: ['ai.example.com'] })
    t.after(() => listening.close({ graceMs: 0 }))
    const sockets = ['ours.sock', 'plain.sock'].map((name) => join(folder, name))
    const ours = nginxFile(`unix:${sockets[0]}`, listening.port)
    const plain = `server { listen unix:${sockets[1]}; location / { proxy_pass ${listening.url}; } }`
    await startNginx(t, ours + plain, sockets)
    for (const [index, socketPath] of sockets.entries()) {
      const headers = { host: 'ai.example.com', 'anthropic-version': '2023-06-01' }
      const sent = request({ socketPath, path: '/v1/messages', method: 'POST', headers })
      const messages = [{ role: 'user', content: 'What is 6 * 7?' }]
      sent.end(JSON.stringify({ model: 'claude-sonnet-4-6', max_tokens: 50, stream: true, messages }))
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      let text = ''
      for await (const piece of response.setEncoding('utf8')) {
        text += String(piece)
        // The engine continues only after the client has the first events.
        if (text.includes('content_block_start')) gates[index]!.resolve()
      }
      assert.match(text, /event: message_stop/)
    }
  },
)

test('nginx shows the server below a path with the lines of the page', { skip: !nginx && whyNoNginx }, async (t) => {
  const pages = join(folder, 'pages')
  mkdirSync(pages)
  writeFileSync(join(pages, 'index.html'), '<base href="/" />')
  const page = consoleRoutes({ secret: randomBytes(32), folder: pages })
  const store = await openServerStore(':memory:')
  const server = createServer({ engine: offline(), store, batches: { pollMs: 20 }, routes: [page] })
  const listening = await listen(server, { allowedHosts: ['ai.example.com'] })
  t.after(async () => {
    await listening.close({ graceMs: 0 })
    await store.close()
  })
  const socket = join(folder, 'below.sock')
  await startNginx(t, belowPath(nginxFile(`unix:${socket}`, listening.port)), [socket])
  const ask = (path: string, headers: OutgoingHttpHeaders = {}, body?: object): Promise<Exchanged> =>
    exchange({ socketPath: socket, path, headers: { host: 'ai.example.com', ...headers } }, body)
  assert.match((await ask('/colloquy')).headers.location!, /^http:\/\/ai\.example\.com\/colloquy\/$/)
  for (const [path, base] of Object.entries({ '/colloquy/': './', '/colloquy/c/1': '../' }))
    assert.equal((await ask(path, { accept: 'text/html' })).text, `<base href="${base}" />`)
  const origin = 'https://ai.example.com'
  const { headers } = await ask('/colloquy/api/session', { origin }, { token: page.newToken() })
  assert.match(headers['set-cookie']![0]!, /; Path=\/colloquy\/;.*; Secure$/)
  const version = { 'anthropic-version': '2023-06-01' }
  const params = { model: 'claude-sonnet-4-6', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }
  const batch = { requests: [{ custom_id: 'a', params }] }
  const { id } = JSON.parse((await ask('/colloquy/v1/messages/batches', version, batch)).text) as { id: string }
  const path = `/colloquy/v1/messages/batches/${id}`
  let results: string | null = null
  await until(async () => {
    results = (JSON.parse((await ask(path, version)).text) as { results_url: string | null }).results_url
    return results !== null
  })
  // The test's own nginx has no TLS.
  assert.equal(results, `http://ai.example.com${path}/results`)
  assert.match((await ask(`${path}/results`, version)).text, /"custom_id":"a","result":\{"type":"succeeded"/)
  // A batch may be longer than a request, and a file too: the server says what is too long.
  const long = { requests: [], padding: 'x'.repeat(34 * 1024 * 1024) }
  assert.match((await ask('/colloquy/v1/messages/batches', version, long)).text, /^\{"type":"error",/)
})

const isLong = process.env['COLLOQUY_LONG'] !== undefined
const whyShort = 'NOT TESTED: set COLLOQUY_LONG to build the image’s program'
test('the steps of the Dockerfile build a program that serves', { skip: !isLong && whyShort }, async () => {
  const [packed, app] = [join(folder, 'packed'), join(folder, 'app')]
  const steps = dockerInstructions(read('deploy/Dockerfile'))
    .filter(([name, rest]) => name === 'RUN' && !rest.includes('/data'))
    .map(([, rest]) => rest.replaceAll('/packed', packed).replaceAll('/app', app))
  for (const step of steps) {
    const { status, stderr } = spawnSync('sh', ['-ec', step], { cwd: root, encoding: 'utf8', timeout: 480_000 })
    assert.equal(status, 0, `${step}\n${stderr}`)
  }
  const config = join(folder, 'served.json')
  writeFileSync(config, JSON.stringify({ port: 0, engines: { offline: { type: 'offline' } } }))
  const child = spawn(join(app, 'node_modules/.bin/colloquy'), ['serve', '--config', config], {
    env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: join(folder, 'data'), NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (text: string) => (printed += text))
  try {
    const address = /http:\/\/127\.0\.0\.1:\d+/
    const hasEnded = (): boolean => child.exitCode !== null
    await until(
      () => address.test(printed) || hasEnded(),
      () => `The server prints no address: ${printed}`,
    )
    assert.equal(child.exitCode, null, printed)
    const { ok } = await fetch(`${address.exec(printed)![0]}/healthz`)
    assert.ok(ok)
  } finally {
    child.kill()
  }
})

/** Our file with another socket and port, and without TLS. */
function nginxFile(socket: string, port: number): string {
  return read('deploy/nginx.conf')
    .replace('listen 443 ssl', `listen ${socket}`)
    .replaceAll(/ssl_certificate.*;/g, '')
    .replace('127.0.0.1:4141', `127.0.0.1:${port}`)
}

/** The file with the lines of the page for a server below a path. */
function belowPath(file: string): string {
  const [, lines = ''] = /```nginx\n([^]*?)```/.exec(read('docs/hosting.md')) ?? []
  const changed = file.replace(/\tlocation \/ \{\n\s*proxy_pass .*\n/, lines)
  assert.notEqual(changed, file)
  return changed
}

/** Starts nginx and waits until it listens on its sockets. */
async function startNginx(t: TestContext, servers: string, sockets: readonly string[]): Promise<void> {
  const own = mkdtempSync(join(folder, 'nginx-'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const paths = temporary.map((name) => `${name}_temp_path ${own}/${name};`).join(' ')
  const file = join(own, 'nginx.conf')
  writeFileSync(file, `user root; pid ${own}/nginx.pid; events {} http { access_log off; ${paths} ${servers} }`)
  const child = spawn('nginx', ['-p', own, '-c', file, '-g', 'daemon off; error_log stderr;'])
  // SIGKILL would leave its workers.
  t.after(() => child.kill())
  let problems = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problems += text))
  await until(
    async () => (await Promise.all(sockets.map(accepts))).every(Boolean) || child.exitCode !== null,
    () => problems,
  )
}

/** Whether a server accepts connections. Its socket exists a moment earlier. */
async function accepts(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

interface Exchanged {
  headers: IncomingHttpHeaders
  text: string
}

/** Sends a request, with a body as JSON if there is one, and reads its response. */
async function exchange(options: RequestOptions, body?: object): Promise<Exchanged> {
  const sent = request({ ...options, method: body ? 'POST' : 'GET' })
  sent.end(body && JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += String(piece)
  return { headers: response.headers, text }
}

/** The instructions with their continued lines joined, without comments. */
function dockerInstructions(text: string): [name: string, rest: string][] {
  const joined = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()])
}

/** Throws if the program does not know the command, its subcommand or a flag. */
async function checkCommand(words: readonly string[]): Promise<void> {
  const { command, words: rest } = await parse(words)
  assert.equal(command.name, words[0])
  const { subcommands } = command
  if (subcommands && rest[0] !== undefined)
    assert.ok(subcommands.some(({ name }) => name === rest[0]) || command.name === 'usage', words.join(' '))
}

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
test('systemd accepts the unit', { skip: !hasSystemd && 'NOT TESTED: systemd-analyze is not here' }, () => {
  const path = join(folder, 'colloquy.service')
  // The check wants the program to exist.
  writeFileSync(path, read('deploy/colloquy.service').replaceAll('/usr/bin/colloquy', process.execPath))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stderr, /colloquy\.service:/)
})
