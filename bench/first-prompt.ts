import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localModel, runtimeFolder } from '../test/engines/local-model.ts'
import { median } from './run.ts'

const rounds = 11
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'src', 'main.ts')
const program = ['--conditions=@colloquy/source', main]

/** The wall time until a user can type the first letter, in a terminal. The programs take turns. */
export async function* report(): AsyncGenerator<string> {
  if (spawnSync('script', ['--version']).status !== 0) {
    yield 'first prompt: not measured, as there is no `script` here to make a terminal'
    return
  }
  const home = mkdtempSync(join(tmpdir(), 'colloquy-bench-'))
  const hasModel = await installModel(home)
  const programs: Record<string, string[]> = {
    'an empty Node that prints a prompt': ['-e', 'process.stdout.write("> ")'],
    'node:readline with a prompt': [
      '-e',
      'require("node:readline").createInterface(process.stdin, process.stdout).prompt()',
    ],
    'colloquy chat': [...program, 'chat', '--engine', 'offline'],
    ...(hasModel && { 'colloquy chat, a model file loads behind it': [...program, 'chat', '--engine', 'local'] }),
  }
  const times = new Map<string, number[]>(Object.keys(programs).map((name) => [name, []]))
  try {
    for (let round = -2; round < rounds; round++) {
      for (const [name, words] of Object.entries(programs)) {
        const ms = await untilPrompt(words, home)
        if (round >= 0) times.get(name)?.push(ms)
      }
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
  const rows = [...times].map(([name, values]) => {
    const sorted = values.toSorted((a, b) => a - b)
    return `  ${name.padEnd(44)}${median(values).toFixed(0).padStart(5)} ms   worst ${sorted.at(-1)?.toFixed(0)} ms`
  })
  yield ['first prompt after the start (wall time, in a terminal; ours must be within 300 ms)', ...rows].join('\n')
}

/** Puts the small model and its runtime into the home folder, and chooses the model. Returns false if they are not here. */
async function installModel(home: string): Promise<boolean> {
  const path = await localModel()
  if (path === undefined) return false
  const data = join(home, '.local/share/colloquy')
  mkdirSync(data, { recursive: true })
  symlinkSync(runtimeFolder, join(data, 'runtime'))
  writeFileSync(join(data, 'model.json'), JSON.stringify({ kind: 'local', model: { path, title: 'SmolLM2 135M' } }))
  return true
}

/** Returns the milliseconds until the program has written its prompt, with a terminal on both ends. */
async function untilPrompt(words: readonly string[], home: string): Promise<number> {
  const command = [process.execPath, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const startedAt = performance.now()
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: home, TERM: 'xterm-256color' },
  })
  let shown = ''
  let ms: number | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString('latin1')
    if (ms !== undefined || !shown.includes('> ')) return
    ms = performance.now() - startedAt
    // Ctrl-D. The next program starts after this one has exited, because its remaining work would slow the next one
    // down.
    child.stdin.write('\x04')
  })
  child.stdin.on('error', () => {})
  await once(child, 'close')
  if (ms === undefined) throw new Error(`Cannot measure: no prompt in ${JSON.stringify(shown)}`)
  return ms
}
