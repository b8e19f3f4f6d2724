import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'

export interface Worker {
  url: string
  stop(): Promise<void>
}

/** Starts workerd with the worker in the file, on a free port. The worker may connect to servers on this machine. */
export async function startWorker(program: string, file: string, flags: readonly string[]): Promise<Worker> {
  const config = join(dirname(file), `${basename(file, '.js')}.capnp`)
  writeFileSync(config, configOf(basename(file), flags))
  // workerd reports its address on descriptor 3.
  const child = spawn(program, ['serve', '--control-fd=3', config], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let stderr = ''
  let control = ''
  ;(child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => (stderr += text))
  ;(child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
    control += text
    for (const line of control.split('\n').slice(0, -1)) {
      const { event, port } = JSON.parse(line) as { event: string; port?: number }
      if (event === 'listen' && port !== undefined) resolve(port)
    }
  })
  child.once('error', reject)
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  child.once('close', (code) => {
    reject(new Error(`workerd ended with ${code}: ${stderr}`))
    close()
  })
  return {
    url: `http://127.0.0.1:${await promise}`,
    async stop() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

function configOf(file: string, flags: readonly string[]): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "${file}", esModule = embed "${file}")],
      compatibilityDate = "2026-11-01",
      compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(', ')}],
      globalOutbound = "network",
    )),
    (name = "network", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`
}
