// Serves on a port. Prints its address, and ends with its standard input.
import { createServer } from '@colloquy/server'
import { engine, key } from './engine.ts'

type Fetch = (request: Request) => Promise<Response>

interface Runtimes {
  Bun?: { serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Fetch }): { port: number } }
  Deno?: {
    serve(options: { port: number; hostname: string; onListen(): void }, fetch: Fetch): { addr: { port: number } }
  }
}

const { fetch } = createServer({ engine: engine(), keys: [key] })
const port = await listen(fetch)
process.stdout.write(`http://127.0.0.1:${port}\n`)
process.stdin.on('end', () => process.exit()).resume()

async function listen(fetch: Fetch): Promise<number> {
  const { Bun, Deno } = globalThis as Runtimes
  const place = { port: 0, hostname: '127.0.0.1' }
  if (Bun) return Bun.serve({ ...place, idleTimeout: 255, fetch }).port
  if (Deno) return Deno.serve({ ...place, onListen() {} }, fetch).addr.port
  const { listen: listenOnNode } = await import('@colloquy/server/node')
  return (await listenOnNode({ fetch }, { port: 0 })).port
}
