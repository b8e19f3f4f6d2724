import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { until } from './until.ts'

// Runs the real script with a fake npm on the PATH, which records its calls and does what the test says.
const scratch = mkdtempSync(join(tmpdir(), 'colloquy-setup-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
const skip = process.platform === 'win32' ? 'the stand-in for npm is a POSIX script' : false

const succeeding = 'mkdir -p node_modules/.bin && touch node_modules/.bin/node'

test('setup installs once, then does nothing', { skip }, async (t) => {
  const checkout = newCheckout(t, succeeding)
  const first = await setup(checkout)
  const second = await setup(checkout)
  assert.equal(first.code, 0)
  assert.match(first.stderr, /Installing/)
  assert.deepEqual(second, { code: 0, stdout: '', stderr: '' })
  assert.equal(first.stdout, '')
  assert.equal(installs(checkout), 1)
})

test('setup installs again after the lockfile or node_modules changed', { skip }, async (t) => {
  const checkout = newCheckout(t, succeeding)
  await setup(checkout)
  writeFileSync(join(checkout, 'package-lock.json'), '{ "changed": true }')
  await setup(checkout)
  rmSync(join(checkout, 'node_modules/.bin'), { recursive: true })
  await setup(checkout)
  assert.equal(installs(checkout), 3)
})

test('setup installs again with the pinned Node when npm skipped a binary for this system', { skip }, async (t) => {
  const binaries = [
    { path: 'node_modules/for-this', os: [process.platform], cpu: [process.arch] },
    { path: 'node_modules/for-other', os: ['other'], cpu: [process.arch] },
    { path: 'node_modules/for-all' },
  ]
  const lockfile = JSON.stringify({ packages: Object.fromEntries(binaries.map(({ path, ...rest }) => [path, rest])) })
  const calls = async (npm: string): Promise<number> => {
    const checkout = newCheckout(t, `echo >> calls.txt; ${succeeding}; ${npm}`)
    writeFileSync(join(checkout, 'package-lock.json'), lockfile)
    assert.equal((await setup(checkout)).code, 0)
    const calls = readFileSync(join(checkout, 'calls.txt'), 'utf8').length
    rmSync(checkout, { recursive: true })
    return calls
  }
  assert.equal(await calls('mkdir -p node_modules/for-this'), 1)
  assert.equal(await calls('true'), 2)
})

test('setup uses the Node of the machine where npm has no other', { skip }, async (t) => {
  const checkout = newCheckout(t, 'true')
  const first = await setup(checkout)
  assert.equal(first.code, 0)
  const { platform, arch, versions } = process
  const note = `Using Node ${versions.node}: npm has no Node 24.0.1 for ${platform} ${arch}\n`
  assert.ok(first.stderr.endsWith(note), first.stderr)
  assert.deepEqual(await setup(checkout), { code: 0, stdout: '', stderr: '' })
})

test('setup says which Node is needed where npm has none, and tries again the next time', { skip }, async (t) => {
  const checkout = newCheckout(t, 'true')
  const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '22.17.0' } })`
  const failed = await start(checkout, ['--import', old]).ended
  assert.equal(failed.code, 1)
  assert.match(
    failed.stderr,
    /Cannot run on Node 22\.17\.0, and npm has no Node 24\.0\.1 for \w+ \w+: install Node 24 or newer\n$/,
  )
  assert.equal((await setup(checkout)).code, 0)
  assert.equal(installs(checkout), 2)
})

test('setup reports a failed install and retries the next time', { skip }, async (t) => {
  const checkout = newCheckout(t, 'echo "no network" >&2; exit 7')
  const failed = await setup(checkout)
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /no network\nCannot install what Colloquy needs: npm install ended with 7\n/)
  await setup(checkout)
  assert.equal(installs(checkout), 2)
})

test('setup invalidates the previous install before it changes anything', { skip }, async (t) => {
  const checkout = newCheckout(t, succeeding)
  const before = readFileSync(join(checkout, 'package-lock.json'))
  await setup(checkout)
  writeFileSync(join(checkout, 'package-lock.json'), '{ "changed": true }')
  writeNpm(checkout, 'exit 1')
  await setup(checkout)
  writeFileSync(join(checkout, 'package-lock.json'), before)
  writeNpm(checkout, succeeding)
  await setup(checkout)
  assert.equal(installs(checkout), 3)
})

test('setup leaves nothing behind when interrupted', { skip }, async (t) => {
  const checkout = newCheckout(t, 'exec sleep 60')
  const interrupted = start(checkout)
  await until(() => installs(checkout) === 1)
  interrupted.child.kill('SIGTERM')
  assert.equal((await interrupted.ended).code, 1)
  writeNpm(checkout, succeeding)
  assert.equal((await setup(checkout)).code, 0)
  assert.equal(installs(checkout), 2)
})

test('setup takes over after another setup was killed', { skip }, async (t) => {
  const checkout = newCheckout(t, 'kill -9 $PPID; sleep 0.1')
  await setup(checkout)
  assert.ok(existsSync(join(checkout, 'node_modules/.colloquy-setup.lock')))
  writeNpm(checkout, succeeding)
  assert.equal((await setup(checkout)).code, 0)
  assert.equal(installs(checkout), 2)
})

test('setup runs npm once when several start at the same time', { skip }, async (t) => {
  const checkout = newCheckout(t, `sleep 0.5; ${succeeding}`)
  const runs = await Promise.all([setup(checkout), setup(checkout), setup(checkout)])
  assert.deepEqual(
    runs.map((run) => run.code),
    [0, 0, 0],
  )
  assert.equal(installs(checkout), 1)
})

function newCheckout(t: TestContext, npm: string): string {
  const checkout = join(scratch, t.name.replaceAll(/\W+/g, '-'))
  mkdirSync(join(checkout, 'bin'), { recursive: true })
  cpSync(new URL('../scripts/setup.js', import.meta.url), join(checkout, 'scripts/setup.js'))
  writeFileSync(join(checkout, 'package.json'), '{ "type": "module", "optionalDependencies": { "node": "24.0.1" } }')
  writeFileSync(join(checkout, 'package-lock.json'), '{}')
  writeNpm(checkout, npm)
  return checkout
}

function writeNpm(checkout: string, script: string): void {
  const file = join(checkout, 'bin/npm')
  writeFileSync(file, `#!/bin/sh\necho $PPID >> callers.txt\n${script}\n`)
  chmodSync(file, 0o755)
}

/** The number of script runs that called npm: one run may call it twice. */
function installs(checkout: string): number {
  const callers = join(checkout, 'callers.txt')
  // The shell creates the file before it writes the first line.
  return existsSync(callers) ? new Set(readFileSync(callers, 'utf8').split('\n').filter(Boolean)).size : 0
}

function setup(checkout: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return start(checkout).ended
}

function start(checkout: string, options: string[] = []) {
  const child = spawn(process.execPath, [...options, join(checkout, 'scripts/setup.js')], {
    env: { ...process.env, PATH: join(checkout, 'bin') + delimiter + process.env['PATH'] },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, stdout, stderr }))
  return { child, ended }
}
