// npm run example -- 5, or -- streaming: runs one of examples/. Without a key, the offline engine answers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { offline } from 'colloquy/engines'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'

const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .toSorted()

const [wanted = '', ...rest] = process.argv.slice(2)
const found = names.find((name) => matches(name, wanted))
if (found) await run(found)
else {
  process.stderr.write(
    wanted ? `No example is called "${wanted}". There are:\n` : 'npm run example -- NAME, where NAME is one of:\n',
  )
  process.stderr.write(names.map((name) => `  ${name.replace('.ts', '')}\n`).join(''))
  process.exitCode = 2
}

function matches(name: string, asked: string): boolean {
  if (asked === '') return false
  if (/^\d+$/.test(asked)) return Number(name.slice(0, 2)) === Number(asked)
  return name.startsWith(asked) || name.slice(3).startsWith(asked)
}

async function run(name: string): Promise<void> {
  const { ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, ANTHROPIC_BASE_URL } = process.env
  const isAnswered = ANTHROPIC_API_KEY || ANTHROPIC_AUTH_TOKEN || ANTHROPIC_BASE_URL
  const listener = isAnswered
    ? undefined
    : await listen(createServer({ engine: offline() }), { host: '127.0.0.1', port: 0 })
  if (listener) process.stderr.write('No ANTHROPIC_API_KEY is set, so the offline engine answers.\n')
  const own = listener && { ANTHROPIC_BASE_URL: listener.url, ANTHROPIC_API_KEY: 'offline' }

  const child = spawn(process.execPath, ['--conditions=@colloquy/source', join(folder, name), ...rest], {
    stdio: 'inherit',
    env: { ...process.env, ...own },
  })
  // Ctrl-C reaches the example too. This process stays to pass on its exit code.
  process.on('SIGINT', () => {})
  const [code] = (await once(child, 'close')) as [number | null]
  await listener?.close()
  process.exitCode = code ?? 1
}
