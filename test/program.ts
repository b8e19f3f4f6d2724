import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Engine, type EngineContext, offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { programEnvironment } from './program-environment.ts'

const compileCache = new URL('../scripts/compile-cache.js', import.meta.url).href

export interface Outcome {
  stdout: string
  stderr: string
  code: number | null
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
    return { ...(await ended(file, parameters, input, folder, listener.url)), requests }
  } finally {
    await listener.close()
  }
}

async function ended(file: string, parameters: string[], input: string, folder: string | undefined, url: string) {
  const options = ['--import', compileCache, '--conditions=@colloquy/source']
  const child = spawn(process.execPath, [...options, file, ...parameters], {
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
