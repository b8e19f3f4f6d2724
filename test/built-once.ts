import { createHash } from 'node:crypto'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, sources } from './source.ts'

/**
 * The folder that `build` filled from the sources, below a parent. The first process that needs it builds it, again after each
 * change of a source, and the others wait.
 */
export async function builtOnce(parent: string, build: (folder: string) => Promise<void>): Promise<string> {
  const built = join(parent, stateOfSources())
  const lock = `${built}.lock`
  mkdirSync(parent, { recursive: true })
  while (!existsSync(built) && !takes(lock)) await sleep(100)
  if (existsSync(built)) return built
  try {
    for (const path of globSync(join(parent, '*'))) if (ageMs(path) > 3_600_000) rmSync(path, { recursive: true })
    const begun = mkdtempSync(join(parent, 'begun-'))
    await build(begun)
    if (!existsSync(built)) renameSync(begun, built)
  } finally {
    rmSync(lock, { force: true })
  }
  return built
}

/** Takes the lock. Otherwise removes it if its process has ended. */
function takes(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (ageMs(lock) > 300_000 || !isAlive(lock)) rmSync(lock, { force: true })
  return false
}

/** Whether the process that wrote the lock lives. It may have removed the lock meanwhile. */
function isAlive(lock: string): boolean {
  try {
    return process.kill(Number(readFileSync(lock, 'utf8')), 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** How long ago a file was written; 0 if it is gone. */
function ageMs(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
}

/** Changes when a file does that the packages are built from. */
function stateOfSources(): string {
  const patterns = ['packages/*/*.{json,md}', 'packages/server/console/**/*', 'scripts/*.ts', '*.json']
  const others = globSync(patterns, { cwd: root })
  const hash = createHash('sha256')
  for (const file of [...sources, ...others.toSorted()]) {
    const { mtimeMs, size } = statSync(join(root, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
