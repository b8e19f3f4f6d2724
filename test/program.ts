import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Engine, type EngineContext, offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { programEnvironment } from './program-environment.ts'
import { mark } from './run-in-turn.ts'

const compileCache = new URL('../scripts/compile-cache.js', import.meta.url).href
const inTurn = new URL('run-in-turn.ts', import.meta.url).pathname

export interface Ended {
  stdout: string
  stderr: string
  /** Null after a signal. */
  code: number | null
}

export interface Outcome extends Ended {
  /** The requests that the server's engine received, in order. */
  requests: { params: MessageCreateParams; context: EngineContext }[]
}

export interface RunOptions {
  /** The engine of the server. Default: the offline engine. */
  engine?: Engine
  /** Standard input. */
  input?: string
  parameters?: string[]
  folder?: string
  /** The keys that the server accepts. Default: any. */
  keys?: string[]
}

/** Runs a program that uses the Claude API, with a server of this repository in place of the API. */
export async function run(file: string, options: RunOptions = {}): Promise<Outcome> {
  const { engine = offline(), input = '', parameters = [], folder, keys } = options
  const requests: Outcome['requests'] = []
  const recorded: Engine = (params, context = {}) => {
    requests.push({ params: structuredClone(params), context })
    return engine(params, context)
  }
  const server = createServer({
    engine: Object.assign(recorded, engine),
    ...(keys && { keys }),
  })
  const listener = await listen(server, { host: '127.0.0.1', port: 0 })
  try {
    return { ...(await ended([file, ...parameters], input, folder, listener.url)), requests }
  } finally {
    await listener.close()
  }
}

/**
 * Runs programs one after another in one process, as each would take longer to start than to run, with the offline engine in
 * place of the API. If one fails or exits, another process runs those after it. Output that a program writes after its last statement
 * has run belongs to the next one.
 */
export async function runInTurn(files: readonly string[], folder?: string): Promise<Map<string, Ended>> {
  const outcomes = new Map<string, Ended>()
  const listener = await listen(createServer({ engine: offline() }), { host: '127.0.0.1', port: 0 })
  try {
    for (let rest = files; rest.length > 0; rest = files.slice(outcomes.size)) {
      const { stdout, stderr, code } = await ended([inTurn, ...rest], '', folder, listener.url)
      const errors = stderr.split(mark).slice(1)
      const outputs = stdout.split(mark).slice(1)
      // The process ended in the last one that it reached.
      const reached = Math.max(outputs.length, 1)
      for (const [at, file] of rest.slice(0, reached).entries()) {
        const isLast = at === reached - 1
        outcomes.set(file, { stdout: outputs[at] ?? '', stderr: errors[at] ?? stderr, code: isLast ? code : 0 })
      }
    }
  } finally {
    await listener.close()
  }
  return outcomes
}

async function ended(words: readonly string[], input: string, folder: string | undefined, url: string): Promise<Ended> {
  const options = ['--import', compileCache, '--conditions=@colloquy/source']
  const child = spawn(process.execPath, [...options, ...words], {
    cwd: folder,
    env: {
      ...programEnvironment,
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'sk-test',
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}).end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { stdout, stderr, code }
}
