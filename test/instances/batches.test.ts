import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createServer } from '@colloquy/server'
import { openServerStore } from '@colloquy/server/store'
import Anthropic from 'colloquy'
import { offline } from 'colloquy/engines'
import { startPostgres } from '../postgres-server.ts'

const program = fileURLToPath(new URL('batch-program.ts', import.meta.url))
const kills = Math.ceil(Number(process.env['COLLOQUY_KILLS'] ?? 20) / 20)
const perKill = 40
/** The requests that a worker has taken: four in flight, and at most as many again that wait. */
const mostTaken = 8

const folder = mkdtempSync(join(tmpdir(), 'colloquy-batch-kills-'))
after(() => rmSync(folder, { recursive: true }))
const postgres = startPostgres()
after(() => postgres?.stop())

const databases = { SQLite: join(folder, 'server.db'), ...(postgres && { PostgreSQL: postgres.url }) }

for (const [name, database] of Object.entries(databases)) {
  test(`workers that are killed lose and repeat no result of a batch on ${name}`, async (t) => {
    const store = await openServerStore(database)
    const server = createServer({ engine: offline(), store, batches: { concurrency: 0 } })
    const client = new Anthropic({ fetch: server.fetch, baseURL: 'http://colloquy.test', apiKey: 'none' })
    const { batches } = client.messages
    const workers = new Set<ChildProcess>()
    t.after(async () => {
      workers.forEach((worker) => worker.kill('SIGKILL'))
      await store.close()
    })
    const begun: string[] = []
    const start = (): void => void workers.add(startWorker(database, begun))
    const requests = Array.from({ length: kills * perKill }, (_, index) => ({
      custom_id: `n-${index}`,
      params: { model: 'claude-haiku-4-5', max_tokens: 10, messages: [{ role: 'user' as const, content: `${index}` }] },
    }))
    const { id } = await batches.create({ requests })
    start()
    start()
    for (let kill = 0; kill < kills; kill++) {
      while (begun.length < kill * perKill + perKill / 2) await sleep(5)
      const [worker] = workers
      workers.delete(worker!)
      worker!.kill('SIGKILL')
      start()
    }
    while ((await batches.retrieve(id)).processing_status !== 'ended') await sleep(20)
    assert.equal((await batches.retrieve(id)).request_counts.succeeded, requests.length)
    const seen = new Set<string>()
    for await (const { custom_id } of await batches.results(id)) seen.add(custom_id)
    assert.equal(seen.size, requests.length)
    const repeated = begun.length - new Set(begun).size
    assert.ok(repeated <= kills * mostTaken, `${repeated} requests were begun again after ${kills} kills`)
  })
}

function startWorker(database: string, begun: string[]): ChildProcess {
  const worker = spawn(process.execPath, ['--conditions=@colloquy/source', program, database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  worker.stdout.on('data', (chunk: Buffer) => begun.push(...chunk.toString().trim().split('\n')))
  return worker
}
