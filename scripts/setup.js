// Runs before `npm start`, `npm test` and their like, on whatever Node is on the PATH (18 or newer), so it is plain JavaScript.
// Installs from the lockfile when what is installed is not what the lockfile says, and is quick when it is.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const modules = new URL('node_modules/', root)
const stamp = new URL('.colloquy-setup', modules)
const lock = new URL('.colloquy-setup.lock', modules)

// The platform belongs to it: a checkout that is mounted into a container of another system needs other binaries.
const wanted = createHash('sha256')
  .update(`${process.platform} ${process.arch}\n`)
  .update(readFileSync(new URL('package-lock.json', root)))
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
  const binary = process.platform === 'win32' ? '.bin/node.cmd' : '.bin/node'
  return read(stamp) === wanted && existsSync(new URL(binary, modules))
}

async function install() {
  process.stderr.write('Installing what Colloquy needs (once, about 20 seconds) …\n')
  // An install that fails or is interrupted half-way must not look like the one before it.
  rmSync(stamp, { force: true })
  // `npm install` and not `npm ci`: the lockfile names the tool binaries of the platforms it was made for, and `ci` refuses
  // to run where it lacks one of another platform, though that one is optional. `--no-save` keeps the lockfile as it is.
  const parameters = ['install', '--no-save', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  let outcome = await run('npm', parameters)
  // npm leaves out the binaries of tools that its own Node is too old for. By now the PATH leads it to the pinned one.
  if (outcome === 0 && Number.parseInt(process.versions.node) < 24) outcome = await run('npm', parameters)
  if (outcome === 0) {
    writeFileSync(stamp, wanted)
    return
  }
  process.stderr.write(`Cannot install what Colloquy needs: npm install ended with ${outcome}\n`)
  process.exitCode = 1
}

function run(command, parameters) {
  const windows = process.platform === 'win32'
  // Before it starts: a signal in between would end this process alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => child.kill(signal))
  const child = spawn(windows ? `${command}.cmd` : command, parameters, {
    cwd: fileURLToPath(root),
    // Standard output stays free for the reply: `echo Hello | npm start --silent` prints nothing else there.
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  // The install outlives this process when only this one is killed; who comes next waits for both.
  if (child.pid !== undefined) writeFileSync(lock, `${process.pid} ${child.pid}`)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
}

/** Two at once would write into the same folder, so the second waits and then finds everything installed. */
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
    // Empty only between its creation and its first byte.
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
