// Follows each page of docs/quick-starts in a fresh project, with the packed packages. Frameworks are fetched from the registry,
// so `npm test` skips this without COLLOQUY_RUNTIMES=fetch.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { BuildOptions } from 'esbuild'
import { chromium } from 'playwright-core'
import { type Packed, npm } from '../../scripts/pack.ts'
import { packedPackages } from '../packed.ts'
import { findPython } from '../clients/python.ts'
import { filesOfPage } from '../page-files.ts'
import { startPostgres } from '../postgres-server.ts'
import { findChromium } from '../runtimes/chromium.ts'
import { find } from '../runtimes/downloads.ts'
import { startWorker } from '../runtimes/workerd.ts'
import { read } from '../source.ts'
import { run, write } from './workspace.ts'

const skip =
  process.env['COLLOQUY_RUNTIMES'] === 'fetch' ? false : 'NOT TESTED: quick starts; npm run runtimes follows them'
const scratch = mkdtempSync(join(tmpdir(), 'colloquy-quick-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
let packed: Packed[] = []

describe('the quick starts', { skip }, () => {
  before(async () => {
    if (!skip) packed = await packedPackages()
  })

  test('a Node script continues its conversation', () => {
    const project = follow('node')
    for (const _ of ['first', 'second']) assert.equal(run(project, 'script.ts'), '6 * 7 = 42\n')
    assert.ok(existsSync(join(project, 'script.db')))
  })

  test('a server with Hono streams', () => {
    assert.equal(run(follow('hono'), 'server.ts'), '200 text/event-stream; charset=utf-8\n')
  })

  test('a server with Express streams, and Node alone does', async () => {
    const project = follow('express')
    await serving(project, ['server.js'], async (url) => assert.match(await ask(`${url}/chats/sums`), /6 \* 7 = 42/))
    assert.equal(run(project, 'plain.ts'), '200 true\n')
  })

  test('a page of Next.js asks its route', { timeout: 300_000 }, async (t) => {
    const project = follow('nextjs')
    const next = join(project, 'node_modules/next/dist/bin/next')
    run(project, next, 'build')
    await serving(project, [next, 'start', '--port', '0'], async (url) => {
      assert.match(await ask(`${url}/chats/sums`), /6 \* 7 = 42/)
      const { program, skip: noBrowser } = findChromium()
      if (noBrowser) return t.diagnostic(noBrowser)
      const browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox'] })
      try {
        const page = await browser.newPage()
        await page.goto(url)
        await page.getByRole('button', { name: 'Ask' }).click()
        await page.getByText('6 * 7 = 42').waitFor()
      } finally {
        await browser.close()
      }
    })
  })

  const workerd = find('workerd 1.20261117.1')
  test('a worker replies', { skip: skip || workerd.skip }, async () => {
    const project = follow('worker')
    const { build } = await import('esbuild')
    const options: BuildOptions = { bundle: true, format: 'esm', conditions: ['workerd', 'worker'] }
    await build({ absWorkingDir: project, entryPoints: ['worker.ts'], outfile: 'out.js', ...options })
    const worker = await startWorker(workerd.program!, join(project, 'out.js'), [])
    try {
      assert.match(await ask(`${worker.url}/sums`), /6 \* 7 = 42/)
    } finally {
      await worker.stop()
    }
  })

  test('a component of React is bundled, and shown', async () => {
    const project = follow('react')
    const { build } = await import('esbuild')
    write(project, {
      'show.jsx': `import { renderToString } from 'react-dom/server'
        import { Chat } from './chat.jsx'
        console.log(renderToString(<Chat />))`,
    })
    const options = { bundle: true, format: 'cjs', platform: 'node', jsx: 'automatic' } as const
    await build({ absWorkingDir: project, entryPoints: ['show.jsx'], outfile: 'out.cjs', ...options })
    assert.match(run(project, 'out.cjs'), /<form><input [^>]*name="question"/)
    run(project, join(project, 'node_modules/vite/bin/vite.js'), 'build')
    assert.match(readFileSync(join(project, 'dist/index.html'), 'utf8'), /<script type="module"[^>]* src="\/assets\//)
  })

  test('the same test passes in Vitest, Jest and node:test', () => {
    const project = follow('testing')
    run(project, join(project, 'node_modules/vitest/vitest.mjs'), 'run', 'overloaded.test.js')
    run(project, '--test', 'overloaded.ts')
    npm(project, 'install', 'jest@30')
    const jest = join(project, 'node_modules/jest/bin/jest.js')
    run(project, '--experimental-vm-modules', jest, '--ci', '--testMatch', '**/*.test.mjs')
    npm(project, 'pkg', 'delete', 'type')
    run(project, jest, '--ci', '--testMatch', '**/*.test.cjs')
  })

  test('testServer() works in Vitest and in Jest, from ES modules and from CommonJS', () => {
    const project = follow('testing', 'testing-in-process')
    const imports = "import Anthropic from 'colloquy'\nimport { testServer } from '@colloquy/server/testing'\n"
    write(project, {
      'server.test.js': `import { expect, test } from 'vitest'\n${imports}${serverTest('t', 'testServer({ script }, t)')}`,
      'server.test.mjs': `${imports}${serverTest('', 'testServer({ script })')}`,
      'server.test.cjs': `const Anthropic = require('colloquy')
        ${serverTest('', "(await import('@colloquy/server/testing')).testServer({ script })")}`,
    })
    run(project, join(project, 'node_modules/vitest/vitest.mjs'), 'run', 'server.test.js')
    npm(project, 'install', 'jest@30')
    const jest = join(project, 'node_modules/jest/bin/jest.js')
    const words = ['--experimental-vm-modules', jest, '--ci', '--testMatch'] as const
    run(project, ...words, '**/server.test.mjs')
    npm(project, 'pkg', 'delete', 'type')
    run(project, ...words, '**/server.test.cjs')
  })

  const python = findPython()
  test('a test in Python passes', { skip: skip || python.skip }, async () => {
    const project = follow('pytest')
    npm(project, 'install', tarballOf('@colloquy/cli'))
    const main = join(project, 'node_modules/@colloquy/cli/dist/main.js')
    await serving(project, [main, 'serve', '--testing', '--port', '0'], async (url) => {
      const words = ['-m', 'pytest', '--quiet', 'test_overloaded.py']
      const env = { ...process.env, COLLOQUY_URL: url }
      const output = await ended(spawn(python.program!, words, { cwd: project, env }))
      assert.match(output, /1 passed/)
    })
  })

  test('two queue workers share the jobs of PostgreSQL', async (t) => {
    const postgres = startPostgres()
    if (!postgres) return t.skip('NOT TESTED: PostgreSQL is not installed')
    try {
      const project = follow('queue')
      const env = { ...process.env, DATABASE_URL: postgres.url }
      execFileSync('psql', [postgres.url, '--quiet', '--file', 'jobs.sql'], { cwd: project, stdio: 'pipe' })
      const workers = [1, 2].map(() => ended(spawn(process.execPath, ['worker.js'], { cwd: project, env })))
      const lines = (await Promise.all(workers)).join('').trim().split('\n')
      assert.deepEqual(lines.toSorted(), ['product 2 * 3 = 6', 'sum 6 * 7 = 42'])
      npm(project, 'install', '@electric-sql/pglite')
      assert.equal(run(project, 'pglite.ts'), 'product 2 * 3 = 6\nsum 6 * 7 = 42\n')
    } finally {
      postgres.stop()
    }
  })

  const claude = find('Claude Code 2.1.329')
  test('Claude Code is answered', { skip: skip || claude.skip }, async () => {
    const project = follow('claude-code')
    npm(project, 'install', tarballOf('@colloquy/cli'))
    const main = join(project, 'node_modules/@colloquy/cli/dist/main.js')
    run(project, main, 'serve', '--config', 'colloquy.json', '--check')
    await serving(project, [main, 'serve', '--engine', 'offline', '--port', '0'], async (url) => {
      const home = join(scratch, 'claude')
      const env = { PATH: process.env['PATH'], HOME: home, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'any' }
      const child = spawn(claude.program!, ['--print', 'What is 6 * 7?'], { cwd: project, env })
      assert.match(await ended(child), /42/)
    })
  })
})

/** Makes the project of a page: its packages, and its files. @param folder its name, for a page that is followed twice. */
function follow(page: string, folder = page): string {
  const project = join(scratch, folder)
  mkdirSync(project)
  const text = read(`docs/quick-starts/${page}.md`)
  // `npm init` of npm 11 makes a project CommonJS.
  const type = text.includes('npm pkg set type=module') ? 'module' : 'commonjs'
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type }))
  const [, words] = /^npm install ([^-\n].*)$/m.exec(text) ?? []
  if (words !== undefined) npm(project, 'install', ...words.split(' ').map(installable))
  write(
    project,
    Object.fromEntries(filesOfPage(`docs/quick-starts/${page}.md`).map(({ path, text: file }) => [path, file])),
  )
  return project
}

function installable(word: string): string {
  const [, file] = /^\.\/(colloquy.*)-\d+\.\d+\.\d+\.tgz$/.exec(word) ?? []
  return file === undefined ? word : tarballOf(file.replace(/^colloquy-/, '@colloquy/'))
}

function tarballOf(name: string): string {
  return packed.find((each) => each.name === name)!.tarball
}

async function ask(url: string): Promise<string> {
  const headers = { 'content-type': 'text/plain' }
  return (await fetch(url, { method: 'POST', body: 'What is 6 * 7?', headers })).text()
}

/** Runs a server of a project until the work is done. */
async function serving(project: string, words: string[], work: (url: string) => Promise<unknown>): Promise<void> {
  const env = {
    ...process.env,
    PORT: '0',
    NEXT_TELEMETRY_DISABLED: '1',
    XDG_DATA_HOME: project,
    XDG_CONFIG_HOME: project,
  }
  const child = spawn(process.execPath, words, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await work(await addressOf(child))
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

function addressOf({ stdout, stderr }: ChildProcess): Promise<string> {
  let text = ''
  return new Promise((resolve, reject) => {
    for (const output of [stdout!, stderr!])
      output.on('data', (chunk: Uint8Array) => {
        text += new TextDecoder().decode(chunk)
        const [, port] = /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(text) ?? []
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
      })
    stdout!.on('end', () => reject(new Error(`Cannot find the address of the server: found ${text}`)))
  })
}

/** The output of a program that succeeds. */
async function ended(child: ChildProcess): Promise<string> {
  let text = ''
  for (const output of [child.stdout!, child.stderr!])
    output.on('data', (chunk: Uint8Array) => (text += new TextDecoder().decode(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0, text)
  return text
}

/** A test of a program that retries. @param context the parameter of its function. */
function serverTest(context: string, open: string): string {
  return `test('the program retries', async (${context}) => {
    const script = [{ error: { type: 'overloaded_error', headers: { 'retry-after': '0' } } }, 'Paris.']
    const server = await ${open}
    try {
      const client = new Anthropic({ baseURL: server.url, apiKey: 'any' })
      const messages = [{ role: 'user', content: 'What is the capital of France?' }]
      const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages }
      expect(await client.messages.stream(params).finalText()).toBe('Paris.')
      expect(server.requests.map(({ params }) => params.messages)).toEqual([messages, messages])
      expect(server.remaining).toBe(0)
    } finally {
      await server.close()
    }
  })`
}
