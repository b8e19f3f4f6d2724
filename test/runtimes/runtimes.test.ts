// Tests the packages as published, installed as users install them, in several runtimes. A runtime that this machine
// does not have is skipped with a message; `npm run runtimes` fetches those that npm has.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, extname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import Anthropic from 'colloquy'
import { read } from '../source.ts'
import { packedPackages } from '../packed.ts'
import { findChromium, importMapOf, pageOf, startSite } from './chromium.ts'
import { type Found, type RuntimeName, find } from './downloads.ts'
import { install, installGlobally } from './install.ts'
import { type StartOptions, bundle, report, start } from './programs.ts'
import { ask, clientPromises } from './programs/client.ts'
import { conversationPromises } from './programs/conversation.ts'
import { engine, key } from './programs/engine.ts'
import { type Outcome, type Promises, hold } from './programs/promise.ts'
import { serverPromises } from './programs/server.ts'
import { sqlitePromises } from './programs/sqlite.ts'
import { strangerPromises } from './programs/stranger.ts'
import { startWorker } from './workerd.ts'

const scratch = mkdtempSync(join(tmpdir(), 'colloquy-runtimes-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const packages = await packedPackages()
const tarballs = packages.map(({ tarball }) => tarball)
const [library, , , cli] = tarballs
const project = install(join(scratch, 'project'), tarballs)

const windows = process.platform === 'win32'
const program = join(installGlobally(join(scratch, 'global'), [cli!]), windows ? 'colloquy.cmd' : 'colloquy')

const thisNode: Found = { program: process.execPath, skip: false }
const nodes: [string, Found][] = [
  [`Node ${process.versions.node}, which runs the tests`, thisNode],
  ...(['Node 22.13.0', 'Node 22.23.3', 'Node 26.10.0'] satisfies RuntimeName[]).map((name): [string, Found] => [
    name,
    find(name),
  ]),
]
const bun = find('Bun 1.4.5')
const deno = find('Deno 2.9.6')
const workerd = find('workerd 1.20261117.1')
const chromium = findChromium()

const everywhere = { ...clientPromises, ...conversationPromises, ...serverPromises }
const withFiles = { ...everywhere, ...sqlitePromises }

const site = await startSite(
  project,
  new Map([
    ['/bundled', pageOf('/programs/page-bundled.js')],
    ['/modules', pageOf('/programs/page.js', importMapOf(project, ['colloquy', '@colloquy/server']))],
  ]),
)
const api = await listen(createServer({ engine: engine(), keys: [key], origins: [site.origin] }))
after(() => Promise.all([site.close(), api.close({ graceMs: 0 })]))

const main = await bundle({ project, source: 'main', target: 'programs/main.js' })
const serve = await bundle({ project, source: 'serve', target: 'programs/serve.js' })

for (const [name, node] of nodes) {
  const run = (): Promise<Outcome[]> => report(node.program!, [main, api.url, newFolder()], {})
  promised(name, node, withFiles, run)
  promised(`the server in ${name}`, node, clientPromises, () => askServer(node.program!, [serve]))
  whereFound(`the program in ${name}`, node, () => holdProgram(node.program!))
}

promised('Bun 1.4.5', bun, withFiles, () => report(bun.program!, ['run', main, api.url, newFolder()], {}))
promised('the server in Bun 1.4.5', bun, clientPromises, () => askServer(bun.program!, ['run', serve]))

// Exactly the permissions that docs/runtimes.md lists.
const files = join(scratch, 'deno')
const allowed = ['--allow-net=127.0.0.1', `--allow-read=${scratch}`, `--allow-write=${files}`, '--allow-sys=hostname']
const denoRun = ['run', '--no-prompt', '--no-remote', '--cached-only', ...allowed]
const denoEnv = { ...process.env, DENO_DIR: join(scratch, 'deno-cache'), DENO_NO_UPDATE_CHECK: '1' }
promised('Deno 2.9.6', deno, withFiles, () => {
  mkdirSync(files)
  return report(deno.program!, [...denoRun, main, api.url, files], { folder: project, env: denoEnv })
})
promised('the server in Deno 2.9.6', deno, clientPromises, () =>
  askServer(deno.program!, [...denoRun, serve], { folder: project, env: denoEnv }),
)

for (const flags of [[], ['nodejs_compat']]) {
  const name = `workerd 1.20261117.1${flags.map((flag) => ` with ${flag}`).join('')}`
  promised(name, workerd, everywhere, () =>
    inWorker('worker', flags, async (url) => {
      const response = await fetch(`${url}/report?api=${encodeURIComponent(api.url)}`)
      return (await response.json()) as Outcome[]
    }),
  )
  promised(`the server in ${name}`, workerd, clientPromises, () =>
    inWorker('worker', flags, (url) => hold(clientPromises, { baseURL: url })),
  )
}

const visit = (page: string, origin = site.origin): Promise<Outcome[]> =>
  site.visit(chromium.program!, `${origin}/${page}api=${encodeURIComponent(api.url)}`)
promised('Chromium, bundled', chromium, everywhere, async () => {
  await bundle({ project, source: 'page', target: 'programs/page-bundled.js', withPackages: true })
  return visit('bundled?')
})
promised('Chromium, module by module', chromium, everywhere, async () => {
  await bundle({ project, source: 'page', target: 'programs/page.js' })
  return visit('modules?')
})
promised('Chromium, on a page that the server was not told of', chromium, strangerPromises, async () => {
  await bundle({ project, source: 'page', target: 'programs/page-bundled.js', withPackages: true })
  return visit('bundled?stranger&', site.elsewhere)
})

suite('the servers of docs/runtimes.md', () => {
  const answers = async (url: string): Promise<void> => {
    const client = new Anthropic({ baseURL: url, apiKey: 'any' })
    assert.equal(await client.messages.stream(ask('What is 6 * 7?')).finalText(), '6 * 7 = 42')
  }
  const serves = async (program: string, parameters: string[], heading: string): Promise<void> => {
    const file = documented(heading)
    const { child, url } = start(program, [...parameters, file], { folder: project, env: denoEnv })
    try {
      await answers(await url)
    } finally {
      child.kill()
    }
  }
  test('Bun', { skip: bun.skip }, () => serves(bun.program!, ['run'], 'Bun'))
  test('Deno', { skip: deno.skip }, () => serves(deno.program!, denoRun, 'Deno'))
  test('Workers', { skip: workerd.skip }, () => inWorker(documented('Workers'), [], answers))
})

suite('the packages', () => {
  test('colloquy is one package of at most 2 MB', () => {
    const { unpackedSize, files: packed } = packages.find(({ name }) => name === 'colloquy')!
    // A sixth of it is for CommonJS.
    assert.ok(unpackedSize <= 2_000_000, `${unpackedSize} bytes`)
    assert.ok(packed.length > 0)
    const alone = install(join(scratch, 'alone'), [library!])
    assert.deepEqual(
      readdirSync(join(alone, 'node_modules')).filter((name) => !name.startsWith('.')),
      ['colloquy'],
    )
  })

  test('no package holds a test', () => {
    const tests = packages.flatMap(({ files: packed }) => packed.filter(({ path }) => path.includes('.test.')))
    assert.deepEqual(tests, [])
  })
})

/** Registers a test for each promise. The runtime is started once for all of them. */
function promised(name: string, found: Found, promises: Promises, run: () => Promise<Outcome[]>): void {
  whereFound(name, found, () => {
    let outcomes: Outcome[] = []
    before(async () => {
      outcomes = await run()
    })
    for (const promise of Object.keys(promises)) {
      test(promise, () => {
        const outcome = outcomes.find((each) => each.promise === promise)
        assert.ok(outcome, `nothing was told of it, but ${JSON.stringify(outcomes)}`)
        assert.equal(outcome.failure, null, outcome.failure ?? '')
      })
    }
  })
}

/** Registers a skipped test, because the runner does not count a skipped suite. */
function whereFound(name: string, { skip }: Found, tests: () => void): void {
  if (skip) test(name, { skip }, () => {})
  else suite(name, tests)
}

/** Starts the program and tests its server from this process. */
async function askServer(program: string, parameters: string[], options: StartOptions = {}): Promise<Outcome[]> {
  const serving = start(program, parameters, options)
  try {
    return await hold(clientPromises, { baseURL: await serving.url })
  } finally {
    serving.child.stdin?.end()
    await serving.ended
  }
}

async function inWorker<T>(source: string, flags: readonly string[], work: (url: string) => Promise<T>): Promise<T> {
  const target = `workers/${basename(source, extname(source))}${flags.join('')}.js`
  const file = await bundle({ project, source, target, withPackages: true, conditions: ['workerd', 'worker'] })
  const worker = await startWorker(workerd.program!, file, flags)
  try {
    return await work(worker.url)
  } finally {
    await worker.stop()
  }
}

/** Writes the first program below the heading into a file of the project, with a free port instead of its own. */
function documented(heading: string): string {
  const [, text] = new RegExp(`^## ${heading}\\n+\`\`\`js\\n([^]*?)^\`\`\``, 'm').exec(read('docs/runtimes.md'))!
  const file = join(project, `${heading.toLowerCase()}.js`)
  writeFileSync(file, text!.replace('4141', '0'))
  return file
}

/** The program as installed by `npm install --global`, with this Node first on the PATH. */
function holdProgram(node: string): void {
  const run = async (...words: string[]): Promise<string> => {
    const home = newFolder()
    const path = [dirname(node), process.env['PATH']].join(delimiter)
    const env = { PATH: path, HOME: home, USERPROFILE: home, COLLOQUY_ENGINE: 'offline' }
    const { child, ended } = start(program, words, { env })
    child.stdin?.end()
    const { stdout, stderr, code } = await ended
    assert.deepEqual([code, stderr], [0, ''])
    return stdout
  }
  test('prints its version', async () => {
    assert.equal(await run('--version'), `colloquy ${packages[0]!.version}\n`)
  })
  test('answers and saves the chat', async () => {
    assert.equal(await run('ask', 'What is 6 * 7?'), '6 * 7 = 42\n')
  })
}

function newFolder(): string {
  return mkdtempSync(join(scratch, 'files-'))
}
