import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DeadInstance, Ledger } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'
import { startPostgres } from '../postgres-server.ts'

const kills = Math.ceil(Number(process.env['COLLOQUY_KILLS'] ?? 20) / 10)
const program = join(import.meta.dirname, 'settling-program.ts')
const folder = mkdtempSync(join(tmpdir(), 'colloquy-ledger-'))
after(() => rmSync(folder, { recursive: true }))

// Thirty times the interval of writes: timers and the writing itself take longer on a busy machine.
const lostMs = 600

killTests('SQLite', () => join(folder, 'server.db'))
const postgres = startPostgres()
if (postgres === undefined) {
  test('a killed server on PostgreSQL', { skip: 'NOT TESTED: no PostgreSQL is installed that this user may start' })
} else {
  after(() => postgres.stop())
  killTests('PostgreSQL', () => postgres.url)
}

function killTests(name: string, databaseOf: () => string): void {
  describe(`a killed server on ${name}`, () => {
    test('loses the costs of the last moment at most, and its reservation tells what was in flight', async () => {
      const database = databaseOf()
      for (let run = 0; run < kills; run++) await killOne(database, run)
    })
  })
}

interface Settled {
  id: string
  cost: bigint
  at: number
}

async function killOne(database: string, run: number): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=@colloquy/source', program, database, String(run)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  while (!output.includes('\n')) await sleep(10)
  await sleep(1.5 * lostMs + Math.random() * 300)
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  const killedAt = Date.now()
  await ended
  const settled = output.split('\n').slice(0, -1).map(readLine)

  const store = await openServerStore(database)
  const db = store.database
  const sum = async (sql: string): Promise<bigint> => {
    const [row] = await db.rows<{ sum: number | bigint }>('add up', `SELECT coalesce(sum(${sql}`)
    return BigInt(row!.sum)
  }
  const rows = await db.rows<{ id: string }>('read', `SELECT id FROM %.request WHERE id LIKE 'req_${run}_%'`)
  const written = new Set(rows.map(({ id }) => id))
  const lost = settled.filter(({ id, at }) => !written.has(id) && at < killedAt - lostMs)
  assert.deepEqual(lost, [])
  assert.ok(written.size > 50, `${written.size} were written`)

  const before = await sum('spent), 0) AS sum FROM %.account')
  assert.equal(before, await sum('cost), 0) AS sum FROM %.request'))
  const flights = await sum('1), 0) AS sum FROM %.in_flight')
  const reserved = await sum('reserved), 0) AS sum FROM %.account')
  assert.ok(flights > 0n && reserved >= flights * 10n ** 10n, `${flights} in flight, ${reserved} reserved`)

  const dead: DeadInstance[] = []
  const ledger = new Ledger(db, { leaseMs: 100, flushMs: 20, onLost: (instance) => dead.push(instance) })
  // On a busy machine this process can miss its own sign of life too: it counts as dead, with nothing in flight.
  const found = (): number => dead.reduce((sum, { flights: of }) => sum + of.length, 0)
  while (found() < flights) await sleep(20)
  await ledger.close()
  assert.equal(BigInt(found()), flights)
  assert.equal(await sum('reserved), 0) AS sum FROM %.account'), 0n)
  assert.equal(await sum('spent), 0) AS sum FROM %.account'), before + flights * 10n ** 10n)
  assert.equal(await sum('cost), 0) AS sum FROM %.usage_hour'), await sum('cost), 0) AS sum FROM %.request'))
  await store.close()
}

function readLine(line: string): Settled {
  const [id, cost, at] = line.split(' ')
  return { id: id!, cost: BigInt(cost!), at: Number(at) }
}
