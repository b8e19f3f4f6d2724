import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { getModel, hasRuntime, installRuntime, listedModels } from '@colloquy/llama'

// A real model for the tests, outside the checkout. It is fetched only if COLLOQUY_MODEL is `fetch`, as .ci/run has it.

const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'colloquy')
const isFetching = process.env['COLLOQUY_MODEL'] === 'fetch'
export const runtimeFolder: string = join(folder, 'runtime')
const python = join(folder, 'llama-server/bin/python')

/** The path of a small model, and a runtime beside it. Undefined, and said loudly, if they are not there. */
export async function localModel(): Promise<string | undefined> {
  const [model] = listedModels
  const path = join(folder, 'models', model!.file)
  await fetchRuntime()
  if (isFetching) {
    await attempt('the model', () => getModel(model!, { folder: join(folder, 'models') }))
  }
  if (existsSync(path) && hasRuntime(runtimeFolder)) return path
  process.stderr.write('NOT TESTED with a real model: it is not here. COLLOQUY_MODEL=fetch fetches it (180 MB)\n')
  return undefined
}

/** Fetches the runtime for model files if the tests may fetch something. */
export async function fetchRuntime(): Promise<void> {
  if (isFetching) await attempt('the runtime', () => installRuntime(runtimeFolder))
}

/** Starts a llama.cpp server over the model, through the Python package `xllamacpp`. Undefined if it is not there. */
export async function startLlamaServer(
  model: string,
): Promise<{ baseURL: string; close: () => Promise<void> } | undefined> {
  if (isFetching && !existsSync(python)) {
    await attempt('a llama.cpp server', () => {
      execFileSync('python3', ['-m', 'venv', join(folder, 'llama-server')], { stdio: 'ignore' })
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'xllamacpp'], { stdio: 'ignore' })
    })
  }
  if (!existsSync(python)) {
    process.stderr.write(
      'NOT TESTED with a llama.cpp server: it is not here. COLLOQUY_MODEL=fetch fetches it (100 MB, needs Python)\n',
    )
    return undefined
  }
  const child = spawn(python, ['-c', serverProgram, model], { stdio: ['ignore', 'pipe', 'ignore'] })
  const baseURL = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
      const [address] = /http:\/\/[\d.]+:\d+/.exec(output) ?? []
      if (address) resolve(`${address}/v1`)
    })
    child.on('exit', (code) => reject(new Error(`the llama.cpp server ended with ${code}`)))
  })
  const close = async (): Promise<void> => {
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
  }
  return { baseURL, close }
}

const serverProgram = `
import socket, sys, time, xllamacpp
free = socket.socket(); free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]; free.close()
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]; params.port = port; params.n_ctx = 4096; params.n_parallel = 2; params.use_jinja = True; params.verbosity = 0
params.cpuparams.n_threads = 1; params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True: time.sleep(1)
`

async function attempt(name: string, work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    process.stderr.write(`Cannot fetch ${name}: ${(error as Error).message}\n`)
  }
}
