// Runs before `npm start`, `npm test` and others, on any Node from 18, so it is plain JavaScript.
// Installs from the lockfile if `node_modules` differs from it, and is quick otherwise.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const modules = new URL('node_modules/', root)
const lockfile = new URL('package-lock.json', root)
const stamp = new URL('.colloquy-setup', modules)
const lock = new URL('.colloquy-setup.lock', modules)

// Includes the platform, because a checkout that is mounted into a container of another system needs other binaries.
const wanted = createHash('sha256')
  .update(`${process.platform} ${process.arch}\n`)
  .update(readFileSync(lockfile))
  .digest('hex')

if (!isInstalled()) {
  await takeLock()
  try {
    if (!isInstalled()) await install()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isInstalled() {
  return read(stamp) === stampText()
}

/** The content of the stamp. It ends with the version of the Node that stands in for the pinned one. */
function stampText() {
  return hasPinnedNode() ? wanted : `${wanted} ${process.versions.node}`
}

function hasPinnedNode() {
  return existsSync(new URL(process.platform === 'win32' ? '.bin/node.cmd' : '.bin/node', modules))
}

/** Whether this Node can stand in for the pinned one. npm does not have the pinned one for every system. */
function runsTypeScript() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 18)
}

async function install() {
  process.stderr.write('Installing what Colloquy needs (once, about 20 seconds) …\n')
  // A failed or interrupted install must not look like the previous, complete one.
  rmSync(stamp, { force: true })
  // `npm install` rather than `npm ci`: the lockfile lists the optional tool binaries of the platforms it was made for,
  // and `ci` fails if one for this platform is missing. `--no-save` leaves the lockfile unchanged.
  const parameters = ['install', '--no-save', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  let outcome = await run('npm', parameters)
  // npm skips the binaries of tools that need a newer Node than its own. Now the PATH leads to the pinned Node.
  if (outcome === 0 && lacksBinaries()) outcome = await run('npm', parameters)
  if (outcome === 0 && !hasPinnedNode()) {
    const missing = `npm has no Node ${pinnedNode()} for ${process.platform} ${process.arch}`
    if (runsTypeScript()) process.stderr.write(`Using Node ${process.versions.node}: ${missing}\n`)
    else return fail(`Cannot run on Node ${process.versions.node}, and ${missing}: install Node 24 or newer`)
  }
  if (outcome === 0) {
    writeFileSync(stamp, stampText())
    return
  }
  fail(`Cannot install what Colloquy needs: npm install ended with ${outcome}`)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}

function pinnedNode() {
  return JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).optionalDependencies.node
}

/** Whether a binary for this system, with any C library but musl, is missing. */
function lacksBinaries() {
  const { packages = {} } = JSON.parse(read(lockfile))
  return Object.entries(packages).some(([path, { os, cpu, libc }]) => {
    const fits = os?.includes(process.platform) && cpu?.includes(process.arch) && !libc?.includes('musl')
    return fits && !existsSync(new URL(path, root))
  })
}

function run(command, parameters) {
  const windows = process.platform === 'win32'
  // Before the install starts, because a signal in between would end only this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => child.kill(signal))
  const child = spawn(windows ? `${command}.cmd` : command, parameters, {
    cwd: fileURLToPath(root),
    // Keep standard output for the reply: `echo Hello | npm start --silent` prints nothing else.
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  // The install outlives this process if only this one is killed, so the next process waits for both.
  if (child.pid !== undefined) writeFileSync(lock, `${process.pid} ${child.pid}`)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
}

/**
 * Two installs at once would write into the same folder, so the second one waits and then finds everything installed.
 */
async function takeLock() {
  mkdirSync(modules, { recursive: true })
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owners = read(lock)
    // The file is empty only between its creation and its first byte.
    const isAbandoned = owners && !owners.split(' ').some(isAlive)
    if (isAbandoned) rmSync(lock, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, 200))
    if (tries === 0 && !isAbandoned) process.stderr.write(`Waiting for the install of process ${owners} …\n`)
  }
}

function isAlive(id) {
  try {
    process.kill(Number(id), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
