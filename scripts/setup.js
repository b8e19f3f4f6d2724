// Runs before `npm start` and `npm test`, on whatever Node is on the PATH (18 or newer), so it is plain JavaScript.
// Installs from the lockfile when what is installed is not what the lockfile says, and is quick when it is.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const stamp = new URL('node_modules/.colloquy-setup', root)
const wanted = createHash('sha256')
  .update(readFileSync(new URL('package-lock.json', root)))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stderr.write('Installing what Colloquy needs (once, about 20 seconds) …\n')
  install()
  writeFileSync(stamp, wanted)
}

function install() {
  // `npm install` and not `npm ci`: the lockfile names the tool binaries of the platforms it was made for, and `ci` refuses
  // to run where it lacks one of another platform, though that one is optional. `--no-save` keeps the lockfile as it is.
  // Standard output stays free for the reply: `echo Hello | npm start --silent` prints nothing else there.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const result = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (result.status === 0) return
  process.stderr.write(
    `Cannot install: npm install ended with ${result.error?.message ?? `exit code ${result.status}`}\n`,
  )
  process.exit(1)
}
